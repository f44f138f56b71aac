import { z } from "zod";
import type { Samples } from "../data/dataset.ts";
import type { Scalars } from "../kernel/events.ts";
import { deriveKey } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import {
  add,
  exp,
  log,
  logSoftmax,
  mul,
  neg,
  oneHot,
  reduceMean,
  reduceSum,
  sub,
} from "../onnx/functions/index.ts";
import { symmetricEigen } from "../runtime/linear-algebra/symmetric-eigen.ts";
import { leadingColumns, rankForShare } from "../runtime/linear-algebra/truncation.ts";
import { matrixLayers } from "../training/features/layer-moments.ts";
import { type Moments, secondMoment } from "../training/features/moments.ts";
import { projectedAway } from "../training/gradient-transforms.ts";
import { defineMethod } from "./define-method.ts";
import { iterate, type Look, ordersOf, type Reached } from "./iterative.ts";
import { type AccuracyOn, accuracyGapRule } from "./parts/accuracy-gap-rule.ts";
import { accuracyOf, withoutClasses } from "./parts/class-accuracy.ts";
import { fedAs, fedWith, minibatches } from "./parts/minibatches.ts";

/**
 * Unlearns by steps that leave alone, to first order, what the retain samples feed into every layer:
 *
 *   G_l ← G_l − G_l·U_l·U_lᵀ,   loss = w₁·mean[−log(1 − p_y + o)] + w₂·mean[Σ_c p_c·log p_c]
 *
 * U_l spans the leading share `gamma` of the singular values of the retain samples' input rows: the second moments C_l of all
 * training samples, prepared once, less those of the forget samples. So no retain sample is read on a request. Only weights of dense
 * and convolution layers move; plain descent, no momentum.
 *
 * Source: T. Hoang et al., arXiv 2312.04095 (WACV 2024), and the authors' code. Departures: real strides in the rows of strided
 * convolutions; moments without augmentation; a dozen epochs at twenty times the rate, since what is projected away no longer limits
 * the rate and steps over the forget samples are what it costs.
 */
export const pgu = defineMethod({
  id: "pgu",
  title: "Gradients projected away from what the retain samples use (PGU)",
  references: ["arXiv:2312.04095"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["forget", "validation"],
  guarantee: "None; to first order the layers' outputs on retain samples stay as they are.",
  avoidWhen: "Layers are so narrow that retain samples span all of their inputs: then nothing can move.",
  config: z.strictObject({
    /** The share of singular values that is held, in (0, 1]; 1 holds everything. 0 projects nothing (an ablation). */
    gamma: z.number().min(0).max(1).default(0.9),
    /** w₁ and w₂, and o, which keeps the first term finite. */
    labelWeight: z.number().min(0).default(1),
    entropyWeight: z.number().min(0).default(0.2),
    offset: z.number().positive().default(0.05),
    epochs: z.int().min(1).default(12),
    batchSize: z.int().min(1).default(128),
    /** The rate falls from the first to the second geometrically over the epochs. */
    learningRate: z.number().positive().default(1),
    endRate: z.number().positive().default(0.3),
    /** Points of validation accuracy on other classes that may be lost when whole classes are forgotten. */
    tolerance: z.number().positive().max(1).default(0.05),
  }),
  grid: { gamma: [0.8, 0.95], learningRate: [0.3, 0.1] },
  async *prepare({ workbench, weights, training }) {
    yield { type: "phase", name: "Moments of the layers' inputs", index: 0, of: 1 };
    const moments = await workbench.layerMomentsOf(weights, training);
    return new Map([...moments].map(([name, sum]) => [name, Float32Array.from(secondMoment(sum))]));
  },
  async *run(request, config) {
    const { workbench, architecture, forget, validation, weights } = request;
    const key = deriveKey(request.key, "pgu");
    const layers = matrixLayers(architecture);
    const names = new Set(layers.map(({ weight }) => weight.name));
    const own = await workbench.layerMomentsOf(weights, forget);
    const { bases, heldShares } = retainBases(request.prepared as ParameterSet, own, config.gamma);
    const held = layers.filter(({ weight }) => bases.has(weight.name));
    const step = await workbench.step({
      optimizer: { id: "sgd", momentum: 0, weightDecay: 0 },
      trained: (name) => names.has(name),
      transformGradients: projectedAway("held", held),
      objective: (context) => {
        const { logits } = context.forward(context.features("forget"), { mode: "inference" });
        const scores = logSoftmax(logits);
        const probabilities = exp(scores);
        const picked = mul(probabilities, oneHot(context.labels("forget"), architecture.classes));
        const own = reduceSum(picked, { axes: [1] });
        const pushed = neg(reduceMean(log(sub(1 + config.offset, own))));
        const certainty = reduceMean(reduceSum(mul(probabilities, scores), { axes: [1] }));
        return { loss: add(mul(pushed, config.labelWeight), mul(certainty, config.entropyWeight)) };
      },
    });
    const fixed = Object.fromEntries([...bases].map(([name, basis]) => [`held:${name}`, basis]));
    const accuracyOn = (model: ParameterSet, samples: Samples): Promise<number> =>
      accuracyOf(workbench, model, samples, architecture.classes);
    const kept = withoutClasses(validation, request.forgetClasses);
    const look =
      request.forgetClasses.length > 0 && kept.count > 0
        ? dropRule(accuracyOn, kept, (await accuracyOn(weights, kept)) - config.tolerance)
        : accuracyGapRule(accuracyOn, { forget, validation }, weights);
    const end = yield* iterate(request, {
      epochs: config.epochs,
      look,
      steps: (epoch) =>
        ordersOf(
          step,
          fedWith(fedAs("forget", minibatches(forget, { batchSize: config.batchSize, key, epoch })), fixed),
          config.learningRate * (config.endRate / config.learningRate) ** (epoch / config.epochs),
        ),
    });
    if (end.stop.by !== "schedule") return { ...end, details: heldShares };
    const reason = `The stopping rule did not fire within ${config.epochs} epochs.`;
    return { ...end, stop: { ...end.stop, by: "cap", reason }, details: heldShares };
  },
});

/** Stops, for whole classes, when the accuracy on the other classes has fallen below a floor. */
function dropRule(accuracyOn: AccuracyOn, kept: Samples, floor: number): (reached: Reached) => Promise<Look> {
  return async ({ state, epoch, carried }) => {
    const accuracy = await accuracyOn(state.weights, kept);
    const scalars = { accuracy };
    if (accuracy >= floor) return { carried: state.weights, scalars };
    const reason = `The accuracy on the other classes fell to ${(100 * accuracy).toFixed(1)} %; the model before is kept.`;
    const stop = { by: "rule" as const, epoch: epoch - 1, reason };
    return carried.size > 0 ? { stop, weights: carried, scalars } : { stop, scalars };
  };
}

/**
 * A basis of what the retain samples feed into each layer, from the moments of all samples less those of the forget samples, and the
 * share of each layer's directions that is held.
 */
function retainBases(
  all: ParameterSet,
  forgotten: ReadonlyMap<string, Moments>,
  gamma: number,
): { readonly bases: ReadonlyMap<string, Float32Array>; readonly heldShares: Scalars } {
  const bases = new Map<string, Float32Array>();
  const heldShares: Record<string, number> = {};
  for (const [name, moments] of forgotten) {
    const size = moments.mean.length;
    const own = secondMoment(moments);
    const rest = Float64Array.from(all.get(name) as Float32Array, (value, at) => value - (own[at] as number));
    const { values, vectors } = symmetricEigen(size, rest);
    const singular = values.map((value) => Math.sqrt(Math.max(value, 0)));
    const rank = Math.min(size, rankForShare(singular, gamma));
    heldShares[`held ${name}`] = rank / size;
    // A basis has a column at least; one of zeros takes nothing away.
    bases.set(name, rank === 0 ? new Float32Array(size) : leadingColumns(vectors, size, size, rank));
  }
  return { bases, heldShares };
}
