import { LetheError } from "../../kernel/errors.ts";
import { intsAttribute, numberAttribute } from "../../onnx/attributes.ts";
import {
  add,
  averagePool,
  div,
  mul,
  pow,
  reduceMean,
  reduceSum,
  reshape,
  square,
  sub,
} from "../../onnx/functions/index.ts";
import type { Operator } from "../../onnx/ir.ts";
import { normalizeAxis } from "../../onnx/shape.ts";
import { composite } from "./composite.ts";
import { knownSize, spatialSizes } from "./known.ts";
import { magnitudePower, normRoot, safeInverse } from "./p-norm.ts";
import { inputOf } from "./rule.ts";

/** What MeanVarianceNormalization adds to the deviation, by its definition in the standard. */
const DEVIATION_FLOOR = 1e-9;

/** Normalisations without parameters: by a norm, by mean and deviation, by neighbouring channels. */
export const normNormalizationOperators: readonly Operator[] = [
  // x/‖x‖ along an axis; zeros stay zeros.
  composite("LpNormalization", (context) => {
    const x = inputOf(context, 0);
    const axis = normalizeAxis(numberAttribute(context.attributes, "axis", -1), x.shape.length);
    const p = numberAttribute(context.attributes, "p", 2);
    if (p !== 1 && p !== 2) {
      throw new LetheError("data", "DATA_ATTRIBUTE", `Expected LpNormalization with p 1 or 2, got ${p}.`);
    }
    const norm = normRoot(reduceSum(magnitudePower(x, p), { axes: [axis], keepDims: true }), p);
    return [mul(x, safeInverse(norm))];
  }),
  composite("MeanVarianceNormalization", (context) => {
    const x = inputOf(context, 0);
    const over = { axes: intsAttribute(context.attributes, "axes", [0, 2, 3]), keepDims: true };
    const centred = sub(x, reduceMean(x, over));
    return [div(centred, add(normRoot(reduceMean(square(centred), over), 2), DEVIATION_FLOOR))];
  }),
  // x/(bias + α/size·Σx²)^β, the sum over `size` channels around each (Krizhevsky et al. 2012).
  composite("LRN", (context) => {
    const x = inputOf(context, 0);
    const setting = (name: string, fallback: number): number =>
      numberAttribute(context.attributes, name, fallback);
    const size = setting("size", 1);
    const space = spatialSizes(x).reduce((product, count) => product * count, 1);
    // As a plane of channels and places, on which a mean over channels is a pool.
    const squares = reshape(square(x), [x.shape[0] ?? 1, 1, knownSize(x, 1), space]);
    const before = Math.floor((size - 1) / 2);
    const means = averagePool(squares, [size, 1], {
      pads: [before, 0, size - 1 - before, 0],
      countIncludePad: true,
    });
    const base = add(mul(means, setting("alpha", 1e-4)), setting("bias", 1));
    return [mul(x, pow(reshape(base, x.shape), -setting("beta", 0.75)))];
  }),
];
