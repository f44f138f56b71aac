import { z } from "zod";
import { joinedSamples } from "../data/joined.ts";
import { deriveKey } from "../kernel/key.ts";
import { steppedWhere } from "../training/gradient-transforms.ts";
import { crossEntropy } from "../training/losses.ts";
import { maskByScore, maskDensity } from "../training/masks.ts";
import { optimizerSchema } from "../training/optimizers.ts";
import { defineMethod } from "./define-method.ts";
import { iterate, ordersOf } from "./iterative.ts";
import { compileMeanGradient } from "./parts/mean-gradient.ts";
import { fedAs, fedWith, minibatches } from "./parts/minibatches.ts";
import { randomlyLabelled } from "./parts/relabelling.ts";

/**
 * Trains on with random labels on the forget samples, and moves only the weights whose change would matter most for them:
 *
 *   m = 1[|∇CE(D_f)| among the largest `density` of all],   w ← w₀ + m∘Δ,   min over w of  CE(D_r ∪ {(x, ỹ) : x ∈ D_f})
 *
 * with the gradient taken at the trained weights, and ỹ drawn anew for every epoch.
 *
 * Source: C. Fan et al., arXiv 2310.12508 (ICLR 2024), SalUn, and the authors' code: half of the weights, SGD with momentum 0.9.
 * Departures: the code takes steps while it sums up the gradient; it makes one pass over the forget and one over the retain samples
 * on small data sets, where here both are mixed as it does on large ones.
 */
export const salun = defineMethod({
  id: "salun",
  title: "Random labels on the forget samples, salient weights alone (SalUn)",
  references: ["arXiv:2310.12508"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["forget", "retain"],
  guarantee: "None: it teaches wrong answers, which can be told from never having been taught.",
  avoidWhen: "An attacker may compare answers: wrong ones give single samples away.",
  isForLabels: true,
  config: z.strictObject({
    /** The share of the weights that may move: 0.5 is the median as the threshold. */
    density: z.number().gt(0).max(1).default(0.5),
    labels: z.enum(["wrong", "any"]).default("wrong"),
    epochs: z.int().min(1).default(1),
    batchSize: z.int().min(1).default(64),
    learningRate: z.number().positive().default(0.01),
    optimizer: optimizerSchema.prefault({ id: "sgd", momentum: 0.9 }),
  }),
  grid: { learningRate: [0.003, 0.03], density: [0.2, 0.8], epochs: [3] },
  async *run(request, { density, labels, epochs, batchSize, learningRate, optimizer }) {
    const { workbench, architecture, forget, retain, weights, signal } = request;
    const key = deriveKey(request.key, "salun");
    const gradientOf = await compileMeanGradient(workbench, architecture, signal);
    const saliency = await gradientOf(weights, forget);
    const scores = new Map([...saliency].map(([name, values]) => [name, values.map(Math.abs)]));
    const mask = maskByScore(scores, { fraction: density });
    const step = await workbench.step({
      optimizer,
      transformWeights: steppedWhere("mask"),
      objective: (context) => ({
        loss: crossEntropy(context.forward(context.features("mixed")).logits, context.labels("mixed")),
      }),
    });
    const mixed = (epoch: number) => {
      const draw = { labels, classes: architecture.classes, key: deriveKey(key, "labels", epoch) };
      return joinedSamples(randomlyLabelled(forget, { ...draw, left: request.forgetClasses }), retain);
    };
    const end = yield* iterate(request, {
      epochs,
      steps: (epoch) =>
        ordersOf(
          step,
          fedWith(fedAs("mixed", minibatches(mixed(epoch), { batchSize, key, epoch })), { mask }),
          learningRate,
        ),
    });
    return { ...end, details: { density: maskDensity(mask) } };
  },
});
