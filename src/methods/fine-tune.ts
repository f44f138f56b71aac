import { z } from "zod";
import { deriveKey } from "../kernel/key.ts";
import { crossEntropy } from "../training/losses.ts";
import { optimizerSchema } from "../training/optimizers.ts";
import { defineMethod } from "./define-method.ts";
import { iterate, ordersOf } from "./iterative.ts";
import { fedAs, minibatches } from "./parts/minibatches.ts";

/**
 * Goes on training on the retain samples alone and hopes that the rest fades: w ← argmin CE(D_r), from w.
 *
 * Source of the settings: J. Jia et al., arXiv 2304.04934 (2023), FT: SGD 0.01 with momentum 0.9, 10 epochs.
 */
export const fineTune = defineMethod({
  id: "fine-tune",
  title: "Training on without the forget samples",
  references: ["arXiv:2304.04934"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["retain"],
  guarantee: "None: what the model has memorised fades slowly.",
  avoidWhen: "The forget samples have to be forgotten for certain.",
  config: z.strictObject({
    epochs: z.int().min(1).default(1),
    batchSize: z.int().min(1).default(64),
    learningRate: z.number().positive().default(0.01),
    optimizer: optimizerSchema.prefault({ id: "sgd", momentum: 0.9 }),
  }),
  grid: { learningRate: [0.03, 0.1, 0.003] },
  async *run(request, { epochs, batchSize, learningRate, optimizer }) {
    const { workbench, retain } = request;
    const key = deriveKey(request.key, "fine-tune");
    const step = await workbench.step({
      optimizer,
      objective: (context) => ({
        loss: crossEntropy(context.forward(context.features("retain")).logits, context.labels("retain")),
      }),
    });
    return yield* iterate(request, {
      epochs,
      steps: (epoch) =>
        ordersOf(step, fedAs("retain", minibatches(retain, { batchSize, key, epoch })), learningRate),
    });
  },
});
