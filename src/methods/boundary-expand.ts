import { z } from "zod";
import { alteredSamples } from "../data/altered.ts";
import { deriveKey } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { crossEntropy } from "../training/losses.ts";
import { optimizerSchema } from "../training/optimizers.ts";
import { defineMethod } from "./define-method.ts";
import { iterate, ordersOf } from "./iterative.ts";
import { fedAs, minibatches } from "./parts/minibatches.ts";
import { SHADOW, withShadowClass } from "./parts/shadow-class.ts";
import { utilityGuard } from "./parts/utility-guard.ts";

/**
 * Gives the model one class more, trains the forget samples into that class, and takes the class away again:
 *
 *   min over w, v of  CE((f_w(x), vᵀe_w(x)), K + 1)      with e_w(x) the features, on forget samples only
 *
 * so that they end up spread over the other classes.
 *
 * Source: M. Chen et al., arXiv 2303.11570 (CVPR 2023), boundary expanding, and the authors' code: SGD with momentum 0.9, 10 epochs.
 * Departures: normalisation keeps its statistics, as those of the forget samples alone would be wrong for all others; the watch over
 * validation samples.
 */
export const boundaryExpand = defineMethod({
  id: "boundary-expand",
  title: "Moving the forget samples into a class that is taken away (boundary expanding)",
  references: ["arXiv:2303.11570"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["forget"],
  uses: ["validation"],
  guarantee: "None.",
  avoidWhen: "Random single samples are to be forgotten, or the model has no dense last layer.",
  isForLabels: true,
  config: z.strictObject({
    epochs: z.int().min(1).default(10),
    batchSize: z.int().min(1).default(64),
    learningRate: z.number().positive().default(3e-4),
    optimizer: optimizerSchema.prefault({ id: "sgd", momentum: 0.9 }),
    /** The least share of the trained model's validation accuracy that is to be left. */
    leastUtility: z.number().gt(0).max(1).default(0.5),
  }),
  grid: { learningRate: [1e-4, 1e-3, 3e-3], epochs: [3] },
  async *run(request, { epochs, batchSize, learningRate, optimizer, leastUtility }) {
    const { workbench, architecture, forget, weights } = request;
    const key = deriveKey(request.key, "boundary-expand");
    const wider = withShadowClass(architecture);
    const start = new Map(weights);
    for (const { name, initial } of wider.weights) {
      if (!start.has(name)) start.set(name, initial(deriveKey(key, "start")));
    }
    const labels = new Int32Array(forget.count).fill(architecture.classes);
    const moved = alteredSamples(forget, { labels });
    const step = await workbench.step(
      {
        optimizer,
        objective: (context) => {
          const { logits } = context.forward(context.features("forget"), { mode: "inference" });
          return { loss: crossEntropy(logits, context.labels("forget")) };
        },
      },
      wider,
    );
    const end = yield* iterate(request, {
      epochs,
      start,
      steps: (epoch) =>
        ordersOf(step, fedAs("forget", minibatches(moved, { batchSize, key, epoch })), learningRate),
      look: utilityGuard({ ...request, leastUtility }),
    });
    return { ...end, weights: withoutShadow(end.weights) };
  },
});

function withoutShadow(weights: ParameterSet): ParameterSet {
  const added: readonly string[] = Object.values(SHADOW);
  return new Map([...weights].filter(([name]) => !added.includes(name)));
}
