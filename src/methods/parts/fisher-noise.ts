import type { TensorSlot } from "../../kernel/layout.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import type { Architecture } from "../../models/architecture.ts";
import { layersOf } from "../../models/derive-layers.ts";
import { headIndex, headOf, headWidth } from "../../models/head.ts";

/** Where a parameter's noise is centred, and how wide it is. */
export interface FisherNoise {
  readonly mean: ParameterSet;
  readonly variance: ParameterSet;
}

/** Keeps 1/F finite where no sample has a gradient. */
const EPSILON = 1e-8;
/** The largest 1/F, elsewhere and in the last layer. */
const CAP = 1e3;
const HEAD_CAP = 1e2;
/** How much wider the noise is in the last layer, and on vectors: biases and normalisations. */
const WIDER = 10;
/** The variance of a forgotten class's weights in the last layer, before it is widened. */
const FORGOTTEN_VARIANCE = 1e-4;

/**
 * Normal noise that is wide where the retain samples do not mind: v = α·min(1/(F + 1e-8), cap), averaged over the inputs of every
 * unit, times 10 in the last layer and on vectors; the last layer's weights of forgotten classes are drawn anew around 0.
 *
 * @param fisher - F, ≥ 0, for every parameter
 * @param forgetClasses - classes that are forgotten whole
 * Source: A. Golatkar, A. Achille, S. Soatto, arXiv 1911.04933, and the authors' code, with its caps and factors.
 */
export function fisherNoise(
  architecture: Architecture,
  weights: ParameterSet,
  fisher: ParameterSet,
  { alpha, forgetClasses }: { readonly alpha: number; readonly forgetClasses: readonly number[] },
): FisherNoise {
  const head = headOf(architecture);
  const inHead = new Set([head.weight.name, head.bias?.name]);
  const inputAxes = new Map(
    layersOf(architecture).flatMap((layer) =>
      layer.kind === "dense" ? [[layer.weight.name, layer.inputAxis] as const] : [],
    ),
  );
  const mean = new Map<string, Float32Array>();
  const variance = new Map<string, Float32Array>();
  for (const { name, shape } of architecture.weights) {
    const values = fisher.get(name);
    if (values === undefined) continue;
    const cap = inHead.has(name) ? HEAD_CAP : CAP;
    const inverse = values.map((value) => alpha * Math.min(1 / (value + EPSILON), cap));
    // A weight's inputs run over axis 1 but where a dense layer says otherwise.
    const even = shape.length > 1 ? averagedOver(inverse, shape, inputAxes.get(name) ?? 1) : inverse;
    mean.set(name, (weights.get(name) as Float32Array).slice());
    variance.set(name, even);
  }
  const forget = (slot: TensorSlot | undefined, at: number): void => {
    if (slot === undefined) return;
    (mean.get(slot.name) as Float32Array)[at] = 0;
    (variance.get(slot.name) as Float32Array)[at] = FORGOTTEN_VARIANCE;
  };
  for (const label of forgetClasses) {
    for (let feature = 0; feature < headWidth(head); feature++) {
      forget(head.weight, headIndex(head, feature, label));
    }
    forget(head.bias, label);
  }
  for (const { name, shape } of architecture.weights) {
    if (!inHead.has(name) && shape.length > 1) continue;
    const values = variance.get(name);
    if (values !== undefined)
      variance.set(
        name,
        values.map((value) => WIDER * value),
      );
  }
  return { mean, variance };
}

/** Every element replaced by the mean along an axis. */
function averagedOver(values: Float32Array, shape: readonly number[], axis: number): Float32Array {
  const size = shape[axis] as number;
  const stride = shape.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  const result = new Float32Array(values.length);
  for (let start = 0; start < values.length; start++) {
    if (Math.floor(start / stride) % size !== 0) continue;
    let sum = 0;
    for (let index = 0; index < size; index++) sum += values[start + index * stride] as number;
    for (let index = 0; index < size; index++) result[start + index * stride] = sum / size;
  }
  return result;
}
