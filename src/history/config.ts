import { z } from "zod";
import { type SymbolCoderId, symbolCoders } from "./coding/index.ts";
import { pipelineFault } from "./pipeline.ts";
import { type QuantiserId, quantisers } from "./quantisers/index.ts";
import { FULL, retentionFault, retentionSchema } from "./retention.ts";

const quantiserIds = Object.keys(quantisers) as [QuantiserId, ...QuantiserId[]];
const coderIds = Object.keys(symbolCoders) as [SymbolCoderId, ...SymbolCoderId[]];

/** How a history stores updates: the only place where its defaults live. */
export const codecConfigSchema = z
  .strictObject({
    /** How the coded values are rounded. */
    quantiser: z.enum(quantiserIds).default("z"),
    /** Size of a record, or step of the quantiser; only for quantisers with a step. Two bits change no result we know. */
    rate: z
      .union([
        z.strictObject({ bitsPerParameter: z.number().gt(0).max(20) }),
        z.strictObject({ stepPerRms: z.number().gt(0).max(1000) }),
        /** Bits of each symbol, without an entropy coder; values beyond 4.5 root mean squares are clipped. */
        z.strictObject({ fixedBits: z.int().min(2).max(16) }),
      ])
      .default({ bitsPerParameter: 2 }),
    // The next five have no default in the schema: a history written before them keeps its header and its digest.
    /** Whether readers subtract the dither, as they do when this is left out. */
    dither: z.enum(["subtractive", "non-subtractive"]).optional(),
    /** How symbols become bytes: `adaptive` when left out. */
    coder: z.enum(coderIds).optional(),
    /** Turns updates to the principal axes of the client's record at the start of each period, counted in rounds. */
    rotation: z.strictObject({ period: z.int().min(2).max(1000) }).optional(),
    /** Codes updates as their difference to the client's record at the start of each period, where that is shorter. */
    prediction: z.strictObject({ period: z.int().min(2).max(1000) }).optional(),
    /** Makes each record up for the errors of the client's earlier ones; for one skew α of the rule to be used. */
    feedback: z
      .strictObject({
        alpha: z.number().gt(-1).max(1).default(0),
        residual: z.enum(["float32", "int4"]).default("int4"),
      })
      .optional(),
    /** Whether what is stored of a client is encrypted under a key of its own, kept elsewhere. */
    encryption: z.literal("aes-256-gcm").optional(),
    /** Share of a round's clients whose updates are stored (κ), drawn from the key. */
    storedClientFraction: z.number().gt(0).max(1).default(1),
    /** What of a client's update is left out because it says little new. */
    threshold: z
      .discriminatedUnion("mode", [
        z.strictObject({ mode: z.literal("none") }),
        /** Store when ‖h − r‖ > τ‖h‖, r the client's last decoded record; else r stands for the update. */
        z.strictObject({ mode: z.literal("temporal"), tau: z.number().gte(0).max(10) }),
        /** Store the difference D to the round's mean when ‖D‖ > τ‖h‖; else the mean stands for the update. */
        z.strictObject({ mode: z.literal("mean"), tau: z.number().gte(0).max(10) }),
        /** Store the elements of D with |D_i| > τ·rms(D), zeros for the rest. */
        z.strictObject({ mode: z.literal("element"), tau: z.number().gte(0).max(100) }),
      ])
      .default({ mode: "none" }),
    /** What is kept of the rounds: `full` when left out. */
    retention: retentionSchema.optional(),
  })
  .superRefine((config, context) => {
    for (const message of [
      pipelineFault(config),
      retentionFault(config.retention ?? FULL, config.threshold),
    ]) {
      if (message !== undefined) context.addIssue({ code: "custom", message });
    }
    if (
      config.feedback !== undefined &&
      (config.threshold.mode !== "none" || config.storedClientFraction < 1)
    )
      context.addIssue({
        code: "custom",
        message:
          "Expected feedback with every update stored, got thresholding or a share of the clients beside it.",
      });
    // Both fill the zeros that make such records small.
    const hasTransform = leansOnEarlier(config);
    if (hasTransform && config.threshold.mode === "element")
      context.addIssue({
        code: "custom",
        message: "Expected no rotation or prediction with `element` thresholding, got both.",
      });
    // Both lean on earlier records, which a window drops.
    const needsAll = hasTransform || config.feedback !== undefined;
    if (needsAll && (config.retention ?? FULL).mode !== "full")
      context.addIssue({
        code: "custom",
        message: "Expected a full history with rotation, prediction or feedback, got another mode.",
      });
  });

/** A complete configuration. */
export type CodecConfig = z.output<typeof codecConfigSchema>;

/** What a user may leave out. */
export type CodecConfigInput = z.input<typeof codecConfigSchema>;

/** Whether records lean on earlier ones of the same client, which a reader then has to pass on the way. */
export function leansOnEarlier({
  rotation,
  prediction,
}: Pick<CodecConfig, "rotation" | "prediction">): boolean {
  return rotation !== undefined || prediction !== undefined;
}
