import { z } from "zod";
import type { PartsSource } from "../../../data/load-parts.ts";
import { normaliserSchema } from "../../../data/normaliser.ts";
import { digestJson } from "../../../kernel/digest.ts";
import { recipeSchema } from "../../../training/recipe.ts";
import { FARM_VERSION, type FarmHeader, type ModelSource } from "../training-job.ts";

/** What all jobs of a farm have in common, as it stands in the database: no data, only where a worker finds its own copy of them. */
export const farmDescriptionSchema = z.strictObject({
  version: z.int(),
  /** Version of the engine and kind of machine: others may round otherwise. */
  engine: z.string(),
  source: z.strictObject({
    data: z.string(),
    samples: z.int().min(1).optional(),
    validation: z.number().min(0).lt(1),
    normaliser: normaliserSchema.optional(),
  }),
  /** Of all numbers of the training part. */
  data: z.string(),
  model: z.discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("ready"),
      text: z.string(),
      sizes: z.strictObject({ inputShape: z.array(z.int().min(1)), classes: z.int().min(1) }).loose(),
    }),
    z.strictObject({ kind: z.literal("file"), name: z.string(), bytes: z.base64() }),
  ]),
  recipe: recipeSchema,
});

/** As {@link farmDescriptionSchema} reads it. */
export type FarmDescription = z.output<typeof farmDescriptionSchema>;

/** What a farm is, for workers elsewhere. */
export function describeFarm(
  { data, model, recipe }: FarmHeader,
  { source, engine }: { readonly source: PartsSource; readonly engine: string },
): FarmDescription {
  const { samples, validation, normaliser } = source;
  return {
    version: FARM_VERSION,
    engine,
    source: {
      data: source.data,
      validation,
      ...(samples === undefined ? {} : { samples }),
      ...(normaliser === undefined ? {} : { normaliser }),
    },
    data: data.digest,
    model:
      model.kind === "ready"
        ? {
            kind: "ready",
            text: model.text,
            sizes: { ...model.sizes, inputShape: [...model.sizes.inputShape] },
          }
        : { kind: "file", name: model.name, bytes: Buffer.from(model.bytes).toString("base64") },
    recipe,
  };
}

/** The model of a description. */
export function modelOf({ model }: FarmDescription): ModelSource {
  return model.kind === "ready"
    ? { kind: "ready", text: model.text, sizes: model.sizes }
    : { kind: "file", name: model.name, bytes: new Uint8Array(Buffer.from(model.bytes, "base64")) };
}

/** The name of a farm and of its queue: short, and another one whenever anything in the description differs. */
export function farmName(description: FarmDescription): string {
  const digest = digestJson(z.json().parse(JSON.parse(JSON.stringify(description))));
  // 128 bits: no two farms share them.
  return `farm-${digest.slice("sha256:".length, "sha256:".length + 32)}`;
}
