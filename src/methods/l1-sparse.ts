import { z } from "zod";
import { deriveKey } from "../kernel/key.ts";
import { add, mul } from "../onnx/functions/index.ts";
import { crossEntropy } from "../training/losses.ts";
import { optimizerSchema } from "../training/optimizers.ts";
import { absoluteSum } from "../training/penalties.ts";
import { defineMethod } from "./define-method.ts";
import { iterate, ordersOf } from "./iterative.ts";
import { fedAs, fedWith, minibatches } from "./parts/minibatches.ts";

/**
 * Trains on without the forget samples under a penalty that makes the weights sparse:
 *
 *   min over w of  CE(D_r) + γ_e·‖w‖₁,   γ_e = γ·(1 − e/(E − E₀)) for epochs e < E − E₀, then 0
 *
 * Weights that only the forget samples needed are the first to vanish.
 *
 * Source: J. Jia et al., arXiv 2304.04934 (NeurIPS 2023), ℓ1-sparse unlearning: SGD 0.01, momentum 0.9, 10 epochs, γ = 5e-4, on
 * 45,000 samples. Departure: defaults for a few thousand, where those hardly move a weight.
 */
export const l1Sparse = defineMethod({
  id: "l1-sparse",
  title: "Training on under a sparsity penalty (ℓ1-sparse)",
  references: ["arXiv:2304.04934"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["retain"],
  guarantee:
    "None; the forget samples are not touched, so nothing about them can be over-forgotten on purpose.",
  avoidWhen: "The retain samples are few or gone.",
  config: z.strictObject({
    epochs: z.int().min(1).default(2),
    /** E₀: last epochs without a penalty. */
    freeEpochs: z.int().min(0).default(1),
    /** γ in the first epoch. What a weight loses is Σ γ_e·rate over the steps: the fewer steps, the larger γ has to be. */
    gamma: z.number().min(0).default(4e-3),
    schedule: z.enum(["linear", "constant"]).default("linear"),
    /** Whether scales and shifts of normalisations are penalised too, as in the authors' code. */
    includeNorm: z.boolean().default(true),
    batchSize: z.int().min(1).default(64),
    learningRate: z.number().positive().default(0.03),
    optimizer: optimizerSchema.prefault({ id: "sgd", momentum: 0.9, weightDecay: 5e-4 }),
  }),
  grid: { gamma: [2e-3, 8e-3, 5e-4], learningRate: [0.01], epochs: [3] },
  async *run(request, config) {
    const { workbench, architecture, retain } = request;
    const { epochs, batchSize, learningRate, optimizer } = config;
    const key = deriveKey(request.key, "l1-sparse");
    const vectors = new Set(
      architecture.weights.filter(({ shape }) => shape.length < 2).map(({ name }) => name),
    );
    const step = await workbench.step({
      optimizer,
      objective: (context) => {
        const supervised = crossEntropy(
          context.forward(context.features("retain")).logits,
          context.labels("retain"),
        );
        const penalised = config.includeNorm
          ? context.parameters
          : new Map([...context.parameters].filter(([name]) => !vectors.has(name)));
        return { loss: add(supervised, mul(absoluteSum(penalised), context.scalar("gamma"))) };
      },
    });
    return yield* iterate(request, {
      epochs,
      steps: (epoch) =>
        ordersOf(
          step,
          fedWith(fedAs("retain", minibatches(retain, { batchSize, key, epoch })), {
            gamma: gammaAt(config, epoch),
          }),
          learningRate,
        ),
    });
  },
});

/** γ_e; constant where no epoch would be left to decay over. */
function gammaAt(
  config: {
    readonly gamma: number;
    readonly epochs: number;
    readonly freeEpochs: number;
    readonly schedule: string;
  },
  epoch: number,
): number {
  const span = config.epochs - config.freeEpochs;
  if (config.schedule === "constant" || span <= 0) return config.gamma;
  return epoch < span ? config.gamma * (1 - epoch / span) : 0;
}
