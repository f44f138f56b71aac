import { z } from "zod";
import { deriveKey } from "../kernel/key.ts";
import { mul, sub } from "../onnx/functions/index.ts";
import { crossEntropy } from "../training/losses.ts";
import { optimizerSchema } from "../training/optimizers.ts";
import { defineMethod } from "./define-method.ts";
import { iterate, ordersOf } from "./iterative.ts";
import { cycledMinibatches, fedAs, fedTogether, minibatches } from "./parts/minibatches.ts";
import { utilityGuard } from "./parts/utility-guard.ts";

/**
 * Descends on the retain samples while it climbs on the forget samples: w ← argmin β·CE(D_r) − (1 − β)·CE(D_f), a forget
 * minibatch beside every retain minibatch.
 *
 * Source: M. Kurmanji et al., arXiv 2302.09880 (2023), NegGrad+: β = 0.95, SGD 0.01, 5 to 10 epochs. Departure: β = 0.97 for one epoch;
 * 0.95 ends every other knowledge where a class is cycled through ten times in an epoch.
 */
export const negGradPlus = defineMethod({
  id: "neg-grad-plus",
  title: "Descent on the retain, ascent on the forget samples (NegGrad+)",
  references: ["arXiv:2302.09880"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["forget", "retain"],
  uses: ["validation"],
  guarantee: "None.",
  avoidWhen: "Few retain samples are at hand, or the figures of a retrained model have to be met closely.",
  config: z.strictObject({
    /** β, the weight of the retain samples. */
    retainWeight: z.number().gt(0).lt(1).default(0.97),
    epochs: z.int().min(1).default(1),
    batchSize: z.int().min(1).default(64),
    learningRate: z.number().positive().default(0.01),
    optimizer: optimizerSchema.prefault({ id: "sgd", momentum: 0.9 }),
    /** The least share of the trained model's validation accuracy that is to be left. */
    leastUtility: z.number().gt(0).max(1).default(0.5),
  }),
  grid: { retainWeight: [0.95, 0.98, 0.9], learningRate: [0.003, 0.03] },
  async *run(request, { retainWeight, epochs, batchSize, learningRate, optimizer, leastUtility }) {
    const { workbench, forget, retain } = request;
    const key = deriveKey(request.key, "neg-grad-plus");
    const step = await workbench.step({
      optimizer,
      objective: (context) => {
        const kept = crossEntropy(
          context.forward(context.features("retain")).logits,
          context.labels("retain"),
        );
        const { logits } = context.forward(context.features("forget"), { mode: "inference" });
        const forgotten = crossEntropy(logits, context.labels("forget"));
        return { loss: sub(mul(kept, retainWeight), mul(forgotten, 1 - retainWeight)) };
      },
    });
    return yield* iterate(request, {
      epochs,
      steps: (epoch) =>
        ordersOf(
          step,
          fedTogether(
            fedAs("retain", minibatches(retain, { batchSize, key, epoch })),
            fedAs("forget", cycledMinibatches(forget, { batchSize, key, epoch })),
          ),
          learningRate,
        ),
      look: utilityGuard({ ...request, leastUtility }),
    });
  },
});
