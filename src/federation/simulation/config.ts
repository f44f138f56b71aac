import { z } from "zod";
import { codecConfigSchema } from "../../history/config.ts";
import { FULL, retentionSchema } from "../../history/retention.ts";
import { localTrainingSchema } from "../local-training.ts";

/** Settings of a simulated federated run; the only place where their defaults live. */
export const simulationSchema = z.strictObject({
  data: z.string().default("mnist"),
  model: z.string().default("mlp"),
  clients: z.int().min(2).default(20),
  samplesPerClient: z.int().min(1).optional().describe("default: 600, or what there is"),
  partition: z.string().default("dirichlet:0.3"),
  sizes: z.string().default("equal").describe("equal, or spread:F for sizes up to F apart"),
  rounds: z.int().min(1).default(40),
  local: localTrainingSchema.prefault({}),
  participation: z.number().gt(0).max(1).default(1).describe("share of the clients in a round"),
  weighting: z.enum(["samples", "equal"]).default("samples"),
  server: z
    .strictObject({
      momentum: z.number().min(0).lt(1).default(0),
      rate: z.number().positive().default(1),
    })
    .prefault({}),
  attack: z
    .strictObject({ id: z.string().default("none"), settings: z.record(z.string(), z.unknown()).default({}) })
    .prefault({})
    .describe("what the attackers do; the attack itself checks its settings"),
  attackers: z.array(z.int().min(0)).default([0]).describe("clients that attack, where there is an attack"),
  leaverWeight: z.number().positive().default(1).describe("factor on the leavers' weight in the mean"),
  codec: codecConfigSchema.prefault({ rate: { bitsPerParameter: 1.2 } }),
  historyMode: retentionSchema.default(FULL).describe("what the run's history keeps of its rounds"),
  encryptHistory: z
    .boolean()
    .default(false)
    .describe("encrypt what the run's history stores of clients, under keys kept elsewhere"),
  historyBudgetBytes: z
    .int()
    .min(1)
    .optional()
    .describe("bytes of the run's history on disk; the rate follows it in place of the codec's"),
  unlearn: z
    .strictObject({
      clients: z.array(z.int().min(0)).min(1).default([0]),
      method: z.string().default("kronecker-response"),
      settings: z.record(z.string(), z.unknown()).default({}),
      help: z.enum(["none", "repair-round"]).default("none"),
      scope: z
        .enum(["everything", "window"])
        .default("everything")
        .describe("take the clients out of all rounds, or of those that the history's window keeps"),
      repairSteps: z.int().min(1).default(6).describe("local steps of every kept client in the repair round"),
    })
    .prefault({}),
  references: z
    .strictObject({
      retrain: z.boolean().default(true),
      retrainAgain: z
        .boolean()
        .default(true)
        .describe("retrain a second time in other batch orders: the noise floor of every comparison"),
      fineTuneRounds: z
        .int()
        .min(0)
        .default(2)
        .describe("rounds of the control that must fail; 0 leaves it out"),
    })
    .prefault({}),
  codecCurve: z
    .array(codecConfigSchema)
    .default([])
    .describe("further codecs whose histories are kept and unlearned from"),
  curveSamples: z.int().min(100).default(10_000).describe("test images measured after every round, at most"),
  seed: z.int().default(1),
});

/** A complete configuration. */
export type SimulationConfig = z.output<typeof simulationSchema>;

/** What a user may leave out. */
export type SimulationInput = z.input<typeof simulationSchema>;
