import { z } from "zod";
import { DEFAULT_TOLERANCE } from "../federation/simulation/verdict.ts";
import { LEAST_AGREEMENT, LEAST_RHO } from "../federation/unlearning/kronecker/diagnosis.ts";

const share = z.number().min(0).max(1);
const amount = z.number().nonnegative();
const count = z.int().nonnegative();
const images = z.int().positive();

/** A figure of the trained model, the unlearned one, and the one retrained without the removed clients. */
function ofModels<Value extends z.ZodType>(value: Value) {
  return z.strictObject({ trained: value, unlearned: value, retrained: value.optional() });
}

/** What every kind of attack has. */
const attackMembers = {
  by: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe("Who attacked, when not all of the removed clients did."),
  poisonedShare: share.describe("Share of the attacker's samples that carry the trigger or a wrong label."),
  boost: z.number().positive().describe("Factor on the attacker's update; 1 is an ordinary one."),
};

const runSchema = z.strictObject({
  dataset: z.string().describe("Name of the data set, as people write it."),
  model: z.string().describe("Architecture in a few words."),
  clients: z.int().positive().describe("Clients that took part in training."),
  rounds: z.int().positive().describe("Rounds of federated averaging."),
  partition: z.string().describe("How the data was shared out: `iid`, `dirichlet:0.3`, …"),
  removed: z
    .array(
      z.strictObject({
        client: count.describe("Index of the client, from 0."),
        name: z.string().min(1).describe("What the text calls it, such as `client 7`."),
      }),
    )
    .min(1)
    .describe("Clients whose influence was removed."),
  method: z
    .strictObject({ id: z.string(), title: z.string() })
    .describe("The unlearning rule: its permanent id and its name."),
  codec: z.strictObject({ id: z.string(), title: z.string() }).describe("The history's codec."),
  samples: z.enum(["images", "samples"]).default("images").describe("What the text calls the data."),
  attack: z
    .discriminatedUnion("kind", [
      z.strictObject({
        kind: z.literal("backdoor"),
        trigger: z
          .string()
          .describe("The pattern, such as `a white 3 × 3 square near the lower right corner`."),
        target: z.string().describe("The class that triggered images are sent to."),
        ...attackMembers,
      }),
      z.strictObject({ kind: z.literal("labelflip"), ...attackMembers }),
    ])
    .optional()
    .describe("What the removed clients did; left out when they were honest."),
});

const historySchema = z.strictObject({
  parameters: count.describe("Parameters of the model."),
  updates: count.describe("Client updates in the history."),
  rawBytes: z.number().positive().describe("The same updates as float32."),
  storedBytes: z.number().positive().describe("Bytes that the history really takes."),
  bitsPerParameter: amount.describe("Stored bits for each parameter of each update."),
  breakdown: z
    .array(z.strictObject({ part: z.string(), bytes: amount }))
    .optional()
    .describe("What the stored bytes are made of; they add up to `storedBytes`."),
});

const costSchema = z.strictObject({
  train: amount.describe("For federated training."),
  unlearn: amount.describe("For unlearning, repair included."),
  retrain: amount.optional().describe("For training again without the removed clients."),
});

const outcome = z.enum(["pass", "fail"]);

const controlSchema = z.strictObject({
  title: z.string().describe("The model under the audit, such as `Retrained without client 7`."),
  expected: outcome.describe("What the audit must say of it to be worth anything."),
  outcome: outcome.describe("What it said."),
  accuracy: share.optional(),
  attackSuccess: share.optional(),
  removedClientAccuracy: share.optional(),
});

const toleranceSchema = z.strictObject({
  accuracy: share
    .default(DEFAULT_TOLERANCE.accuracy)
    .describe("Accuracy may be this much below retraining's."),
  attackSuccess: share
    .default(DEFAULT_TOLERANCE.attackSuccess)
    .describe("Attack success may be this much above retraining's."),
  removedClientAccuracy: share
    .default(DEFAULT_TOLERANCE.removedClientAccuracy)
    .describe("Accuracy on the removed clients' samples may be this much above retraining's."),
});

const roundSchema = z.strictObject({ round: count, accuracy: share, attackSuccess: share.optional() });

const seriesSchema = z.strictObject({
  trained: z
    .array(roundSchema)
    .min(1)
    .describe("The global model after each round, all clients taking part."),
  retrained: z.array(roundSchema).optional().describe("The same for retraining without the removed clients."),
  unlearning: z
    .array(z.strictObject({ label: z.string(), accuracy: share, attackSuccess: share.optional() }))
    .default([])
    .describe("The model after unlearning and after each repair round, in order."),
});

const codecPointSchema = z.strictObject({
  title: z.string().describe("The codec setting."),
  storedBytes: z.number().positive(),
  bitsPerParameter: amount,
  error: amount.describe(
    "‖w′ − w′ from float32‖ / ‖w′ from float32 − w trained‖, w′ the unlearned parameters.",
  ),
  accuracy: share.optional().describe("Of the model unlearned from this history."),
  attackSuccess: share.optional().describe("Of the model unlearned from this history."),
  used: z.boolean().default(false).describe("True for the setting of this run."),
});

const base64 = z.base64().describe("Raw grey bytes, row by row, 0 black to 255 white.");
const prediction = z.strictObject({ clean: z.string(), triggered: z.string() });

const examplesSchema = z.strictObject({
  shape: z.tuple([z.int().positive(), z.int().positive()]).describe("Rows and columns of every image."),
  items: z
    .array(
      z.strictObject({
        label: z.string().describe("The true class."),
        clean: base64,
        triggered: base64,
        predictions: ofModels(prediction).describe("The class each model gives to either image."),
      }),
    )
    .min(1),
});

const matrix = z
  .array(z.array(count))
  .describe("Counts; a row for each true class, a column for each predicted one.");

const confusionSchema = z.strictObject({
  title: z.string().describe("Which images, such as `Clean test images`."),
  classes: z.array(z.string()).min(2),
  matrices: ofModels(matrix),
});

const interval = z
  .strictObject({ value: share, low: share.optional(), high: share.optional() })
  .describe("An estimate with the ends of its 95 % interval.");

const membershipSchema = z.strictObject({
  attack: z.string().describe("The attack in a few words."),
  members: count.describe("Images of the removed clients under attack."),
  nonMembers: count.describe("Images nobody trained on, of the same classes."),
  auc: ofModels(interval).describe("Area under the attack's ROC curve; 0.5 is guessing."),
  controls: z
    .array(
      z.strictObject({
        title: z.string(),
        expectation: z.string().describe("Where its figure must lie, in words."),
        auc: interval,
        met: z.boolean(),
      }),
    )
    .default([])
    .describe(
      "Attacks whose result is known beforehand: they show whether the attack can see anything at all.",
    ),
});

const diagnosisSchema = z.strictObject({
  rho: amount.describe(
    "ρ = ‖e‖ / ‖Σ d‖: the share of the plain subtraction that the response model left standing.",
  ),
  rhoLimit: amount
    .default(LEAST_RHO)
    .describe("Below it the rule extrapolates far; chosen on 47 recorded runs."),
  pi: share
    .optional()
    .describe("π: share of synthetic probes on which the weak and the strong setting of the rule agree."),
  piLimit: share.default(LEAST_AGREEMENT).describe("Below it accuracy was lost in recorded runs."),
  warnings: z
    .array(z.strictObject({ code: z.string(), message: z.string() }))
    .default([])
    .describe("What the rule warns of, in words, and what to do."),
});

const provenanceSchema = z.strictObject({
  command: z.string(),
  seed: z.union([z.string(), z.number()]),
  versions: z.record(z.string(), z.string()).describe("Software and its version."),
  machine: z.string().describe("Class of machine: cores, architecture, system. No host name."),
  digests: z.record(z.string(), z.string()).describe("SHA-256 of the models and of the history."),
});

const members = z.strictObject({
  run: runSchema.describe("What was simulated."),
  accuracy: ofModels(share).describe("Share of the clean test images that are classified right."),
  attackSuccess: ofModels(share)
    .optional()
    .describe(
      "Share of the test samples under attack that are answered as the attacker wants: triggered images of other classes sent to the target, or samples answered with the next class.",
    ),
  removedClientAccuracy: ofModels(share)
    .optional()
    .describe("Accuracy on the removed clients' own training images, unpatched and with their true labels."),
  sampleSizes: z
    .strictObject({ accuracy: images, attackSuccess: images, removedClientAccuracy: images })
    .partial()
    .default({})
    .describe("Images behind the three shares above; each that is given yields a 95 % interval."),
  parameterDistance: z
    .number()
    .nonnegative()
    .optional()
    .describe("‖unlearned − retrained‖ / ‖trained − retrained‖ over all parameters."),
  history: historySchema.describe("The stored update history."),
  seconds: costSchema.extend({ audit: amount.optional() }).describe("Wall-clock seconds."),
  clientRounds: costSchema.describe(
    "Local trainings by clients: one client taking part in one round counts one.",
  ),
  gradientSteps: costSchema.optional().describe("Optimizer steps on clients and server together."),
  verdict: z
    .enum(["pass", "fail", "refused"])
    .optional()
    .describe("The audit's verdict on the unlearned model."),
  reasons: z.array(z.string()).default([]).describe("Why the audit came to its verdict, in sentences."),
  controls: z.array(controlSchema).default([]).describe("Models on which the audit must be right."),
  tolerance: toleranceSchema
    .prefault({})
    .describe(
      "How far from retraining still counts as equal; the page's sentences use the audit's own limits.",
    ),
  series: seriesSchema.optional().describe("Measurements after every round."),
  codecCurve: z
    .array(codecPointSchema)
    .min(2)
    .optional()
    .describe("The same run unlearned from histories of different sizes; float32 among them."),
  examples: examplesSchema.optional().describe("Test images with and without the trigger."),
  confusion: z
    .array(confusionSchema)
    .default([])
    .describe("Confusion matrices, one entry for each set of images."),
  membership: membershipSchema.optional().describe("A membership inference test."),
  diagnosis: diagnosisSchema.optional().describe("What the unlearning rule says about itself."),
  limits: z
    .array(z.string())
    .default([])
    .describe("What this run does not show, and known weak cases, in sentences."),
  provenance: provenanceSchema.describe("How to get these figures again."),
});

/**
 * What a federated unlearning run hands to its report: the result document of `lethe simulate` and the material
 * for the plots and pictures. Shares (accuracy, attack success) are in [0, 1]. A part that a run lacks is left out:
 * no attack, no attack success; retraining skipped, no `retrained` anywhere and no verdict. Unknown members are errors.
 */
export const simulationReportSchema = members.superRefine(checkAgreement);

/** A report's data as its producer writes it: what has a default may be missing. */
export type SimulationReportInput = z.input<typeof simulationReportSchema>;

/** A report's data, checked and complete. */
export type SimulationReport = z.output<typeof members>;

/**
 * What must hold between the members of a report: data that contradict themselves are refused before anyone reads
 * them. A verdict of `pass` needs a retrained model, a control that must fail, one that must pass, and
 * all of them to come out as expected.
 */
function checkAgreement(report: SimulationReport, context: z.RefinementCtx): void {
  const refuse = (path: readonly (string | number)[], message: string) =>
    context.addIssue({ code: "custom", path: [...path], message });

  if (report.verdict === "pass") {
    if (report.accuracy.retrained === undefined)
      refuse(["verdict"], "Expected no verdict `pass` without `accuracy.retrained`: nothing was compared.");
    for (const kind of ["fail", "pass"] as const)
      if (!report.controls.some(({ expected }) => expected === kind))
        refuse(
          ["controls"],
          `Expected a control that must ${kind} before a verdict \`pass\` means anything.`,
        );
    for (const { title, expected, outcome } of report.controls)
      if (expected !== outcome)
        refuse(
          ["verdict"],
          `Expected \`refused\`: the control "${title}" came out as ${outcome}, not ${expected}.`,
        );
  }
  if ((report.run.attack === undefined) !== (report.attackSuccess === undefined))
    refuse(["attackSuccess"], "Expected `attackSuccess` exactly when `run.attack` is given.");
  if (report.run.removed.length >= report.run.clients)
    refuse(["run", "removed"], `Expected fewer removed clients than the ${report.run.clients} that trained.`);

  const { breakdown, storedBytes } = report.history;
  const total = breakdown?.reduce((sum, { bytes }) => sum + bytes, 0) ?? storedBytes;
  if (Math.abs(total - storedBytes) >= 1)
    refuse(["history", "breakdown"], `Expected parts that add up to ${storedBytes} bytes, got ${total}.`);

  for (const [index, { classes, matrices }] of report.confusion.entries())
    for (const [model, matrix] of Object.entries(matrices))
      if (matrix?.length !== classes.length || matrix.some((row) => row.length !== classes.length))
        refuse(
          ["confusion", index, "matrices", model],
          `Expected ${classes.length} rows and columns, one for each class.`,
        );
}
