import { z } from "zod";
import { joinedSamples } from "../data/joined.ts";
import { deriveKey } from "../kernel/key.ts";
import { crossEntropy } from "../training/losses.ts";
import { optimizerSchema } from "../training/optimizers.ts";
import { defineMethod } from "./define-method.ts";
import { iterate, ordersOf } from "./iterative.ts";
import { fedAs, minibatches } from "./parts/minibatches.ts";
import { randomlyLabelled } from "./parts/relabelling.ts";

/**
 * Trains on with other labels on the forget samples: w ← argmin CE(D_r ∪ {(x, ỹ) : x ∈ D_f}), from w. With `labels: wrong` ỹ is
 * uniform over the wrong classes (amnesiac relabelling), with `any` over all.
 *
 * Sources: L. Graves et al., arXiv 2010.10981 (2021), amnesiac unlearning; A. Golatkar et al., arXiv 1911.04933 (2020).
 */
export const randomLabels = defineMethod({
  id: "random-labels",
  title: "Training on with random labels on the forget samples",
  references: ["arXiv:2010.10981", "arXiv:1911.04933"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["forget", "retain"],
  guarantee: "None: it teaches wrong answers, which can be told from never having been taught.",
  avoidWhen: "Single samples are to be forgotten: a retrained model would get most of them right.",
  isForLabels: true,
  config: z.strictObject({
    labels: z.enum(["wrong", "any"]).default("wrong"),
    epochs: z.int().min(1).default(1),
    batchSize: z.int().min(1).default(64),
    learningRate: z.number().positive().default(0.01),
    optimizer: optimizerSchema.prefault({ id: "sgd", momentum: 0.9 }),
  }),
  grid: { learningRate: [0.003, 0.01, 0.03] },
  async *run(request, { labels, epochs, batchSize, learningRate, optimizer }) {
    const { workbench, architecture, forget, retain } = request;
    const key = deriveKey(request.key, "random-labels");
    const step = await workbench.step({
      optimizer,
      objective: (context) => ({
        loss: crossEntropy(context.forward(context.features("mixed")).logits, context.labels("mixed")),
      }),
    });
    // Drawn anew for every epoch, so that no wrong answer is learnt by heart.
    const mixed = (epoch: number) => {
      const draw = { labels, classes: architecture.classes, key: deriveKey(key, "labels", epoch) };
      return joinedSamples(randomlyLabelled(forget, { ...draw, left: request.forgetClasses }), retain);
    };
    return yield* iterate(request, {
      epochs,
      steps: (epoch) =>
        ordersOf(step, fedAs("mixed", minibatches(mixed(epoch), { batchSize, key, epoch })), learningRate),
    });
  },
});
