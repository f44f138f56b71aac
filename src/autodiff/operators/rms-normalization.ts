import { numberAttribute } from "../../onnx/attributes.ts";
import { add, mul, reciprocal, reduceMean, sqrt, square } from "../../onnx/functions/index.ts";
import type { InferContext, Operator, Value } from "../../onnx/ir.ts";
import { composite } from "./composite.ts";
import { normalizedAxes } from "./normalized-axes.ts";
import { inputOf } from "./rule.ts";
import { SKIP_EPSILON, skipSum } from "./skip-sum.ts";

/**
 * y = γ·x/√(mean x² + ε) over the last axes (Zhang & Sennrich 2019, arXiv:1910.07467), under the names it has in the standard
 * and in ONNX Runtime, which gives 1/√(mean x² + ε) as a second output.
 */
export const rmsNormalizationOperators: readonly Operator[] = [
  composite("RMSNormalization", (context) => [rmsNormalized(context, inputOf(context, 0), 1).y], {
    since: 23,
  }),
  composite("SimplifiedLayerNormalization", (context) => {
    const { y, inverse } = rmsNormalized(context, inputOf(context, 0), 1);
    return [y, inverse];
  }),
  composite("com.microsoft:SkipSimplifiedLayerNormalization", (context) => {
    const x = skipSum(context, 3);
    const { y, inverse } = rmsNormalized(context, x, 2, SKIP_EPSILON);
    // There is no mean; its place is kept.
    return [y, mul(inverse, 0), inverse, x];
  }),
];

function rmsNormalized(
  context: InferContext,
  x: Value,
  scaleIndex: number,
  fallback = 1e-5,
): { y: Value; inverse: Value } {
  const over = { axes: normalizedAxes(context, x), keepDims: true };
  const epsilon = numberAttribute(context.attributes, "epsilon", fallback);
  const inverse = reciprocal(sqrt(add(reduceMean(square(x), over), epsilon)));
  return { y: mul(mul(x, inverse), inputOf(context, scaleIndex)), inverse };
}
