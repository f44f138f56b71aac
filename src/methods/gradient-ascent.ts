import { z } from "zod";
import { deriveKey } from "../kernel/key.ts";
import { neg } from "../onnx/functions/index.ts";
import { crossEntropy } from "../training/losses.ts";
import { optimizerSchema } from "../training/optimizers.ts";
import { defineMethod } from "./define-method.ts";
import { iterate, ordersOf } from "./iterative.ts";
import { fedAs, minibatches } from "./parts/minibatches.ts";
import { utilityGuard } from "./parts/utility-guard.ts";

/**
 * Climbs the loss of the forget samples: w ← argmin −CE(D_f), from w. Unbounded below: too many steps ruin the model, which
 * is found out where validation samples are given.
 *
 * Sources: A. Golatkar et al., arXiv 1911.04933 (2020); J. Jia et al., arXiv 2304.04934 (2023), GA: SGD, rate 1e-4, 5 epochs.
 * Departure: a rate of 1e-3, as 1e-4 moves nothing within a few dozen steps.
 */
export const gradientAscent = defineMethod({
  id: "gradient-ascent",
  title: "Gradient ascent on the forget samples",
  references: ["arXiv:1911.04933", "arXiv:2304.04934"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["forget"],
  uses: ["validation"],
  guarantee: "None: it destroys what it is told to forget, and its surroundings.",
  avoidWhen: "The model has to stay useful: it has nothing that holds the retain samples.",
  config: z.strictObject({
    epochs: z.int().min(1).default(5),
    batchSize: z.int().min(1).default(64),
    learningRate: z.number().positive().default(1e-3),
    optimizer: optimizerSchema.prefault({ id: "sgd", momentum: 0.9 }),
    /** The least share of the trained model's validation accuracy that is to be left. */
    leastUtility: z.number().gt(0).max(1).default(0.5),
  }),
  grid: { learningRate: [3e-3, 3e-4, 1e-4, 3e-5] },
  async *run(request, { epochs, batchSize, learningRate, optimizer, leastUtility }) {
    const { workbench, forget } = request;
    const key = deriveKey(request.key, "gradient-ascent");
    const step = await workbench.step({
      optimizer,
      objective: (context) => {
        // Normalisation keeps its statistics: those of the forget samples alone would be wrong for all others.
        const { logits } = context.forward(context.features("forget"), { mode: "inference" });
        return { loss: neg(crossEntropy(logits, context.labels("forget"))) };
      },
    });
    return yield* iterate(request, {
      epochs,
      steps: (epoch) =>
        ordersOf(step, fedAs("forget", minibatches(forget, { batchSize, key, epoch })), learningRate),
      look: utilityGuard({ ...request, leastUtility }),
    });
  },
});
