import { z } from "zod";
import { deriveKey } from "../kernel/key.ts";
import { add, mul } from "../onnx/functions/index.ts";
import { logLikelihood } from "../training/losses/log-likelihood.ts";
import { negativePreference } from "../training/losses/preference.ts";
import { crossEntropy } from "../training/losses.ts";
import type { ParameterValues } from "../training/objective-context.ts";
import { optimizerSchema } from "../training/optimizers.ts";
import { defineMethod } from "./define-method.ts";
import { iterate, ordersOf } from "./iterative.ts";
import { cycledMinibatches, fedAs, fedTogether, fedWith, minibatches } from "./parts/minibatches.ts";
import { utilityGuard } from "./parts/utility-guard.ts";

/**
 * Makes the forget samples' answers less likely than the trained model has them, with a loss that is bounded below, and keeps
 * those of the retain samples:
 *
 *   w ← argmin  (2/β)·mean log(1 + (π(y|x)/π₀(y|x))^β) over D_f  +  λ·CE(D_r),   from w, π₀ the trained model
 *
 * The likelihood of a text is that of all its tokens. Where samples are far less likely than before, their gradient fades.
 *
 * Source: R. Zhang, L. Lin, Y. Bai, S. Mei, arXiv 2404.05868 (2024), equation 3, in its form with a retain loss (NPO+RT): β 0.1,
 * λ 1, AdamW, minibatches of 32. Departure: a rate of 1e-3, as small models take, for 5 epochs; the paper has 1e-5 for 10 on a large one.
 */
export const npo = defineMethod({
  id: "npo",
  title: "Negative preference optimisation with descent on the retain samples",
  references: ["arXiv:2404.05868"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["forget", "retain"],
  uses: ["validation"],
  guarantee: "None.",
  avoidWhen: "The figures of a retrained model have to be met closely: it forgets beyond them.",
  config: z.strictObject({
    /** β, the inverse temperature: towards 0 this is gradient ascent. */
    beta: z.number().positive().default(0.1),
    /** λ, the weight of the retain samples; 0 leaves them out of the loss. */
    retainWeight: z.number().min(0).default(1),
    epochs: z.int().min(1).default(5),
    batchSize: z.int().min(1).default(32),
    learningRate: z.number().positive().default(0.001),
    /** Adaptive, as the likelihood of a text grows with its length, and the gradient with it. */
    optimizer: optimizerSchema.prefault({ id: "adamw", weightDecay: 0.01 }),
    /** The least share of the trained model's validation accuracy that is to be left. */
    leastUtility: z.number().gt(0).max(1).default(0.5),
  }),
  grid: { beta: [0.05, 0.5], learningRate: [0.0003, 0.003] },
  async *run(request, { beta, retainWeight, epochs, batchSize, learningRate, optimizer, leastUtility }) {
    const { workbench, forget, retain, weights } = request;
    const key = deriveKey(request.key, "npo");
    const step = await workbench.step({
      optimizer,
      objective: (context) => {
        const features = context.features("forget");
        const labels = context.labels("forget");
        // As in use, in both models: normalisation keeps its statistics, and the ratio is 1 at the start.
        const likelihood = (used: ParameterValues) =>
          logLikelihood(context.forward(features, { mode: "inference", weights: used }).logits, labels);
        const forgotten = negativePreference(
          likelihood(context.weights),
          likelihood(context.weightSet("trained")),
          beta,
        );
        const { logits } = context.forward(context.features("retain"));
        return { loss: add(forgotten, mul(crossEntropy(logits, context.labels("retain")), retainWeight)) };
      },
    });
    return yield* iterate(request, {
      epochs,
      steps: (epoch) => {
        const forgetting = fedAs("forget", minibatches(forget, { batchSize, key, epoch }));
        const keeping = fedAs("retain", cycledMinibatches(retain, { batchSize, key, epoch }));
        return ordersOf(step, fedWith(fedTogether(forgetting, keeping), { trained: weights }), learningRate);
      },
      look: utilityGuard({ ...request, leastUtility }),
    });
  },
});
