import { gradients } from "../autodiff/gradients.ts";
import { mul, oneHot, reduceSum, square } from "../onnx/functions/index.ts";
import type { Value } from "../onnx/ir.ts";

/**
 * Each sample's score of one class, zₙ,cₙ.
 *
 * @param logits - [batch, classes]
 * @param classes - int64 class numbers [batch]
 * @returns [batch]
 */
export function logitsAt(logits: Value, classes: Value): Value {
  return reduceSum(mul(logits, oneHot(classes, Number(logits.shape[1]), logits.dtype)), { axes: [1] });
}

/**
 * How each sample's value moves with its own input, ∂rowₙ/∂xₙ, all in one backward pass: the sum over the batch has these gradients
 * as long as samples do not act on each other (a pass in inference mode).
 *
 * @param rows - [batch], such as losses or {@link logitsAt}
 * @param features - the pass's input [batch, …]
 * @returns of the features' shape; it can be differentiated again
 */
export function inputGradients(rows: Value, features: Value): Value {
  return gradients(reduceSum(rows), [features])[0];
}

/**
 * The squared norm of each sample's input gradient, ‖∂rowₙ/∂xₙ‖². As a term of an objective it takes a second backward pass.
 *
 * @returns [batch]
 * Source: X. Cheng et al., arXiv 2402.15109 (as the sensitivity of a logit).
 */
export function inputSensitivities(rows: Value, features: Value): Value {
  const axes = features.shape.slice(1).map((_, axis) => axis + 1);
  return reduceSum(square(inputGradients(rows, features)), { axes });
}
