import { z } from "zod";
import { joinedSamples } from "../data/joined.ts";
import { deriveKey } from "../kernel/key.ts";
import { klDivergence } from "../training/losses.ts";
import { optimizerSchema } from "../training/optimizers.ts";
import { defineMethod } from "./define-method.ts";
import { iterate, ordersOf } from "./iterative.ts";
import { drawnSamples } from "./parts/drawn-samples.ts";
import { withFreshLayers } from "./parts/fresh-layers.ts";
import { fedAs, minibatches } from "./parts/minibatches.ts";

/**
 * A student of two teachers, one that knows everything and one that knows nothing, the same network with random weights:
 *
 *   min over w of  (1/N)·[Σ_{D_r} KL_T(o_trained ‖ o_w) + Σ_{D_f} KL_T(o_random ‖ o_w)]
 *
 * KL_T at temperature T, times T². Both sets are mixed in every minibatch.
 *
 * Source: V. Chundawat et al., "Can bad teaching induce forgetting?", arXiv 2205.08096 (AAAI 2023), and the authors' code: Adam, 30 % of
 * the retain samples, one epoch. Departures: the divergence is a mean over samples; the code's default mean over samples and classes
 * is smaller by the number of classes, which Adam does not notice.
 */
export const badTeacher = defineMethod({
  id: "bad-teacher",
  title: "Student of the trained model and of a random one (bad teacher)",
  references: ["arXiv:2205.08096"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["forget", "retain"],
  guarantee: "None: answers as unsure as a random network's can be told from those of retraining.",
  avoidWhen: "Random single samples are to be forgotten: a retrained model would get most of them right.",
  isForLabels: true,
  config: z.strictObject({
    /** The share of the retain samples that is read, drawn once; the authors take 0.3 of 50,000, of a few thousand that is too few. */
    retainShare: z.number().gt(0).max(1).default(1),
    temperature: z.number().positive().default(1),
    epochs: z.int().min(1).default(1),
    batchSize: z.int().min(1).default(64),
    learningRate: z.number().positive().default(1e-3),
    optimizer: optimizerSchema.prefault({ id: "adam" }),
  }),
  grid: { learningRate: [1e-4, 3e-4, 3e-3], epochs: [2], retainShare: [0.3] },
  async *run(request, { retainShare, temperature, epochs, batchSize, learningRate, optimizer }) {
    const { workbench, architecture, forget, retain, weights } = request;
    const { classes } = architecture;
    const key = deriveKey(request.key, "bad-teacher");
    const wanted = Math.max(1, Math.round(retainShare * retain.count));
    const kept = drawnSamples(retain, wanted, deriveKey(key, "retain"));
    const random = withFreshLayers(architecture, weights, deriveKey(key, "teacher"));
    const values = new Float32Array((forget.count + wanted) * classes);
    values.set(await workbench.logitsOf(random, forget));
    values.set(await workbench.logitsOf(weights, kept), forget.count * classes);
    const teacher = { values, width: classes };
    const mixed = joinedSamples(forget, kept);
    const step = await workbench.step({
      optimizer,
      objective: (context) => {
        const { logits } = context.forward(context.features("mixed"));
        return {
          loss: klDivergence(context.tensor("mixed:teacher", ["mixed", classes]), logits, temperature),
        };
      },
    });
    return yield* iterate(request, {
      epochs,
      steps: (epoch) =>
        ordersOf(
          step,
          fedAs("mixed", minibatches(mixed, { batchSize, key, epoch }), { teacher }),
          learningRate,
        ),
    });
  },
});
