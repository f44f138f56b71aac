import { z } from "zod";
import { deriveKey, randomStream } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { reduceMean, sqrt, sub } from "../onnx/functions/index.ts";
import { inputSensitivities, logitsAt } from "../training/input-gradients.ts";
import type { ObjectiveContext } from "../training/objective-context.ts";
import { optimizerSchema } from "../training/optimizers.ts";
import { defineMethod } from "./define-method.ts";
import { iterate, type Look, ordersOf, type Reached } from "./iterative.ts";
import { cycledMinibatches, feedOf, type Minibatch, minibatches } from "./parts/minibatches.ts";

/**
 * Takes back what training left at the forget samples: the model's sensitivity to them. With only the model and D_f,
 *
 *   min over w of  mean over D_f of ( ‖∂f_c/∂x‖² − ‖∂f_c′/∂x‖² ),   c the label, c′ a wrong class drawn anew at every use
 *
 * until the sensitivity of wrong classes, s = mean ‖∂f_c′/∂x‖, has passed its minimum and is back at δ times its first value.
 *
 * Source: X. Cheng et al., arXiv 2402.15109 (ICLR 2026). The rate is relative: η = η₀ / mean ‖∂f_c/∂x‖² at the start, since the
 * squares may be anything from 1 to 10⁶.
 */
export const muMis = defineMethod({
  id: "mu-mis",
  title: "Suppressing the samples' contribution (MU-Mis)",
  references: ["arXiv:2402.15109"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["forget"],
  guarantee: "None; no retained sample is read.",
  avoidWhen: "Retain samples are at hand and random single samples are to be forgotten.",
  config: z.strictObject({
    /** η₀. */
    learningRate: z.number().positive().default(0.01),
    /** δ: the share of its first value the wrong classes' sensitivity has to come back to. */
    delta: z.number().positive().default(1),
    /** The stopping rule is looked at so many times a pass over the forget samples. */
    looksPerPass: z.int().min(1).default(4),
    /** Cap, in passes over the forget samples. */
    maxPasses: z.int().min(1).default(20),
    batchSize: z.int().min(1).default(64),
    optimizer: optimizerSchema.prefault({ id: "sgd" }),
    /** For ablations: `target` leaves the second term out, `irrelevant` the first. */
    terms: z.enum(["both", "target", "irrelevant"]).default("both"),
  }),
  grid: { learningRate: [1e-3, 3e-3, 0.03], delta: [0.8, 1.1] },
  async *run(request, config) {
    const { workbench, architecture, forget, weights } = request;
    const { batchSize, terms } = config;
    const key = deriveKey(request.key, "mu-mis");
    const sensitivities = (context: ObjectiveContext) => {
      const features = context.features("forget");
      // Samples must not act on each other: a normalisation keeps its statistics.
      const { logits } = context.forward(features, { mode: "inference" });
      return {
        own: inputSensitivities(logitsAt(logits, context.labels("forget")), features),
        other: inputSensitivities(
          logitsAt(logits, context.tensor("forget:other", ["forget"], "int64")),
          features,
        ),
      };
    };
    const step = await workbench.step({
      optimizer: config.optimizer,
      objective: (context) => {
        const { own, other } = sensitivities(context);
        const loss =
          terms === "both"
            ? reduceMean(sub(own, other))
            : terms === "target"
              ? reduceMean(own)
              : reduceMean(sub(0, other));
        return { loss, backwardPasses: 2 };
      },
    });
    const gauge = await workbench.objective({
      objective: (context) => {
        const { own, other } = sensitivities(context);
        return { loss: reduceMean(sqrt(other)), outputs: { square: reduceMean(own) }, backwardPasses: 2 };
      },
    });
    const withOther = ({ labels, ...batch }: Minibatch, draw: number) => {
      const stream = randomStream(deriveKey(key, "other", draw));
      const other = labels.map((label) => {
        const shifted = Number(label) + 1 + stream.below(architecture.classes - 1);
        return BigInt(shifted % architecture.classes);
      });
      return { forget: { ...feedOf({ ...batch, labels }), other } };
    };
    const measure = async (model: ParameterSet): Promise<{ other: number; square: number }> => {
      let [other, square, seen] = [0, 0, 0];
      for (const batch of minibatches(forget, { batchSize, key: deriveKey(key, "gauge"), epoch: 0 })) {
        const rows = batch.positions.length;
        const { loss, outputs } = await gauge.evaluate(model, withOther(batch, 0));
        other += rows * loss;
        square += rows * Number(outputs.square?.[0]);
        seen += rows;
      }
      return { other: other / seen, square: square / seen };
    };
    const start = await measure(weights);
    const learningRate = config.learningRate / Math.max(start.square, Number.MIN_VALUE);
    const stepsPerLook = Math.max(1, Math.ceil(forget.count / batchSize / config.looksPerPass));
    const look = async ({ state, epoch, carried }: Reached): Promise<Look> => {
      const { other } = await measure(state.weights);
      const least = Math.min(carried.get("least")?.[0] ?? start.other, other);
      const scalars = { sensitivity: other / start.other };
      if (other <= least || other / start.other <= config.delta) {
        return { carried: new Map([["least", Float32Array.of(least)]]), scalars };
      }
      const reason = `The sensitivity of wrong classes is back at ${(other / start.other).toFixed(2)} of its first value.`;
      return { stop: { by: "rule", epoch, reason }, scalars };
    };
    const looks = config.maxPasses * config.looksPerPass;
    const end = yield* iterate(request, {
      epochs: looks,
      look,
      *steps(epoch) {
        const batches = cycledMinibatches(forget, { batchSize, key, epoch });
        for (let index = 0; index < stepsPerLook; index++) {
          const batch = batches.next().value as Minibatch;
          yield* ordersOf(step, [withOther(batch, 1 + epoch * stepsPerLook + index)], learningRate);
        }
      },
    });
    if (end.stop.by !== "schedule") return end;
    const reason = `The stopping rule did not fire within ${config.maxPasses} passes over the forget samples.`;
    return { ...end, stop: { ...end.stop, by: "cap", reason } };
  },
});
