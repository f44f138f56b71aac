import { z } from "zod";
import { deriveKey } from "../kernel/key.ts";
import { klDivergence } from "../training/losses.ts";
import { optimizerSchema } from "../training/optimizers.ts";
import { defineMethod } from "./define-method.ts";
import { iterate, ordersOf } from "./iterative.ts";
import { fedAs, minibatches } from "./parts/minibatches.ts";
import { utilityGuard } from "./parts/utility-guard.ts";

/** A class score whose probability is zero: far below any other, yet finite. */
const ERASED = -1e10;

/**
 * Distils on each forget sample what the trained model holds of it beside its own class:
 *
 *   min over w of  KL(q ‖ softmax(o_w)),   q = softmax(o with o_y = −∞)
 *
 * so the forgotten class gets no probability while the others keep their proportions. No retain sample is read.
 *
 * Source: Y. Zhou et al., "Decoupled distillation to erase", arXiv 2503.23751 (CVPR 2025), and the authors' code: SGD with momentum 0.9.
 * Departures: normalisation keeps its statistics, as those of the forget samples alone would be wrong for all others (a switch in the
 * code); the watch over validation samples.
 */
export const decoupledDistillation = defineMethod({
  id: "delete",
  title: "Distilling all but the true class on the forget samples (DELETE)",
  references: ["arXiv:2503.23751"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["forget"],
  uses: ["validation"],
  guarantee: "None: it teaches the likeliest wrong answer, which can be told from never having been taught.",
  avoidWhen: "Random single samples are to be forgotten: a retrained model would get most of them right.",
  isForLabels: true,
  config: z.strictObject({
    epochs: z.int().min(1).default(10),
    batchSize: z.int().min(1).default(64),
    learningRate: z.number().positive().default(3e-4),
    optimizer: optimizerSchema.prefault({ id: "sgd", momentum: 0.9 }),
    /** The least share of the trained model's validation accuracy that is to be left. */
    leastUtility: z.number().gt(0).max(1).default(0.5),
  }),
  grid: { learningRate: [1e-4, 1e-3, 3e-3], epochs: [5, 20] },
  async *run(request, { epochs, batchSize, learningRate, optimizer, leastUtility }) {
    const { workbench, architecture, forget, weights } = request;
    const { classes } = architecture;
    const key = deriveKey(request.key, "delete");
    const values = await workbench.logitsOf(weights, forget);
    for (const [row, label] of forget.labels.entries()) values[row * classes + label] = ERASED;
    const teacher = { values, width: classes };
    const step = await workbench.step({
      optimizer,
      objective: (context) => {
        const { logits } = context.forward(context.features("forget"), { mode: "inference" });
        return { loss: klDivergence(context.tensor("forget:teacher", ["forget", classes]), logits) };
      },
    });
    return yield* iterate(request, {
      epochs,
      steps: (epoch) =>
        ordersOf(
          step,
          fedAs("forget", minibatches(forget, { batchSize, key, epoch }), { teacher }),
          learningRate,
        ),
      look: utilityGuard({ ...request, leastUtility }),
    });
  },
});
