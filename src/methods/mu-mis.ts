import { z } from "zod";
import { deriveKey, randomStream } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { reduceMean, sqrt, sub } from "../onnx/functions/index.ts";
import { inputSensitivities, logitsAt } from "../training/input-gradients.ts";
import type { ObjectiveContext } from "../training/objective-context.ts";
import { optimizerSchema } from "../training/optimizers.ts";
import { defineMethod } from "./define-method.ts";
import { iterate, type Look, ordersOf, type Reached } from "./iterative.ts";
import { accuracyOf } from "./parts/class-accuracy.ts";
import { drawnSamples } from "./parts/drawn-samples.ts";
import { cycledMinibatches, feedOf, type Minibatch, minibatches } from "./parts/minibatches.ts";

/** Forget samples whose sensitivities are looked at for the stopping rule: a look costs as much as a step on each. */
const GAUGED = 128;

/** Means over forget samples. */
interface Gauge {
  /** Sensitivity of a wrong class and of the true one, and the latter's square. */
  readonly other: number;
  readonly own: number;
  readonly square: number;
  /** Share of samples whose true class leads. */
  readonly right: number;
}

/**
 * Takes back what training left at the forget samples: the model's sensitivity to them. With only the model and D_f,
 *
 *   min over w of  mean over D_f of ( ‖∂f_c/∂x‖² − ‖∂f_c′/∂x‖² ),   c the label, c′ a wrong class drawn anew at every use
 *
 * until the sensitivity of wrong classes, s = mean ‖∂f_c′/∂x‖, has passed its minimum and is back at δ times its first value, and the
 * forget samples are no longer known: of whole classes less than `forgotten` are right, of others the true class is no more sensitive
 * than the wrong ones.
 *
 * Source: X. Cheng et al., arXiv 2402.15109 (ICLR 2026). The rate is relative: η = η₀ / mean ‖∂f_c/∂x‖² at the start, since the
 * squares may be anything from 1 to 10⁶. Departures: the second half of the stopping rule, since in small networks s has no dip but grows
 * from the first step, and the rule by s alone would end before anything is forgotten; sensitivities are measured on up to 128 forget samples.
 */
export const muMis = defineMethod({
  id: "mu-mis",
  title: "Suppressing the samples' contribution (MU-Mis)",
  references: ["arXiv:2402.15109"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["forget"],
  guarantee: "None; no retained sample is read.",
  avoidWhen: "Retain samples are at hand and random single samples are to be forgotten.",
  isForLabels: true,
  config: z.strictObject({
    /** η₀; where left out, 0.04 for whole classes and 0.2 for others, of whose contributions many cancel. */
    learningRate: z.number().positive().optional(),
    /** δ: the share of its first value the wrong classes' sensitivity has to come back to. */
    delta: z.number().positive().default(1),
    /** The share of a class's samples at which it counts as forgotten, in [0, 1). */
    forgotten: z.number().min(0).lt(1).default(0.05),
    /** The stopping rule is looked at so many times a pass over the forget samples. */
    looksPerPass: z.int().min(1).default(10),
    /** Cap, in passes over the forget samples. */
    maxPasses: z.int().min(1).default(10),
    batchSize: z.int().min(1).default(64),
    optimizer: optimizerSchema.prefault({ id: "sgd" }),
    /** For ablations: `target` leaves the second term out, `irrelevant` the first. */
    terms: z.enum(["both", "target", "irrelevant"]).default("both"),
  }),
  grid: { learningRate: [0.02, 0.2], forgotten: [0.1] },
  async *run(request, config) {
    const { workbench, architecture, forget, weights } = request;
    const { batchSize, terms } = config;
    const key = deriveKey(request.key, "mu-mis");
    const sensitivities = (context: ObjectiveContext) => {
      const features = context.features("forget");
      // Samples must not act on each other: a normalisation keeps its statistics.
      const { logits } = context.forward(features, { mode: "inference" });
      const labels = context.labels("forget");
      return {
        own: inputSensitivities(logitsAt(logits, labels), features),
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
        const outputs = { own: reduceMean(sqrt(own)), square: reduceMean(own) };
        return { loss: reduceMean(sqrt(other)), outputs, backwardPasses: 2 };
      },
    });
    const gauged = drawnSamples(forget, GAUGED, deriveKey(key, "gauged"));
    const withOther = ({ labels, ...batch }: Minibatch, draw: number) => {
      const stream = randomStream(deriveKey(key, "other", draw));
      const other = labels.map((label) => {
        const shifted = Number(label) + 1 + stream.below(architecture.classes - 1);
        return BigInt(shifted % architecture.classes);
      });
      return { forget: { ...feedOf({ ...batch, labels }), other } };
    };
    const measure = async (model: ParameterSet): Promise<Gauge> => {
      const sum = { other: 0, own: 0, square: 0 };
      for (const batch of minibatches(gauged, { batchSize, key: deriveKey(key, "gauge"), epoch: 0 })) {
        const share = batch.positions.length / gauged.count;
        const { loss, outputs } = await gauge.evaluate(model, withOther(batch, 0));
        sum.other += share * loss;
        for (const name of ["own", "square"] as const) sum[name] += share * Number(outputs[name]?.[0]);
      }
      const right = await accuracyOf(workbench, model, forget, architecture.classes);
      return { ...sum, right };
    };
    const start = await measure(weights);
    const rate = config.learningRate ?? (request.forgetClasses.length > 0 ? 0.04 : 0.2);
    const learningRate = rate / Math.max(start.square, Number.MIN_VALUE);
    const stepsPerPass = Math.ceil(forget.count / batchSize);
    const stepsPerLook = Math.ceil(stepsPerPass / config.looksPerPass);
    const isForgotten = ({ own, other, right }: Gauge): boolean =>
      request.forgetClasses.length > 0 ? right <= config.forgotten : own <= other;
    const look = async ({ state, epoch, carried }: Reached): Promise<Look> => {
      const found = await measure(state.weights);
      const { other, own, right } = found;
      const least = Math.min(carried.get("least")?.[0] ?? start.other, other);
      const scalars = { sensitivity: other / start.other, contribution: (own - other) / start.own, right };
      const isBack = other > least && other / start.other > config.delta;
      if (!isBack || !isForgotten(found)) {
        return { carried: new Map([["least", Float32Array.of(least)]]), scalars };
      }
      const reason = `The sensitivity of wrong classes is at ${(other / start.other).toFixed(2)} of its first value, ${(100 * right).toFixed(1)} % of the forget samples are right.`;
      return { stop: { by: "rule", epoch, reason }, scalars };
    };
    const looks = Math.ceil((config.maxPasses * stepsPerPass) / stepsPerLook);
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
