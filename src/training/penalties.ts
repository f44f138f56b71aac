import { abs, add, mul, reduceSum, square, sub } from "../onnx/functions/index.ts";
import type { Value } from "../onnx/ir.ts";
import type { ParameterValues } from "./objective-context.ts";

/** ‖w‖₁ over all given parameters; its subgradient at 0 is 0. */
export function absoluteSum(parameters: ParameterValues): Value {
  return [...parameters.values()].map((value) => reduceSum(abs(value))).reduce(add);
}

/** ‖w‖² over all given parameters. */
export function squaredNorm(parameters: ParameterValues): Value {
  return [...parameters.values()].map((value) => reduceSum(square(value))).reduce(add);
}

/**
 * ‖w − a‖² = Σ fᵢ(wᵢ − aᵢ)²: the pull towards an anchor of proximal methods, or of elastic weight consolidation with importances f.
 *
 * @param anchor - a, a value for every parameter
 * @param importance - f, 1 when left out
 * Source: with importances J. Kirkpatrick et al., arXiv 1612.00796, equation 3.
 */
export function squaredDistance(
  parameters: ParameterValues,
  anchor: ParameterValues,
  importance?: ParameterValues,
): Value {
  return [...parameters]
    .map(([name, value]) => {
      const squares = square(sub(value, anchor.get(name) as Value));
      const weight = importance?.get(name);
      return reduceSum(weight === undefined ? squares : mul(squares, weight));
    })
    .reduce(add);
}
