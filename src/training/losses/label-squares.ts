import { add, mul, oneHot } from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";
import { meanSquaredError } from "../losses.ts";

/**
 * Squared error of the scores themselves, without a softmax, against the labels as one-hot rows: (1/(N·K)) Σₙ Σₖ (xₙₖ − tₙₖ)² with
 * tₙₖ = (1 − ε)·[k = yₙ] + ε/K.
 *
 * @param logits - x, [batch, classes]
 * @param labels - y, int64 class numbers [batch]
 * @param smoothing - ε in [0, 1)
 * @returns scalar
 * Source: Hui & Belkin (2020), arXiv 2006.07322, section 2, without the rescaling they use for many classes.
 */
export function labelSquares(logits: Value, labels: Value, smoothing = 0): Value {
  const classes = Number(logits.shape.at(-1));
  const rows = mul(oneHot(labels, classes, logits.dtype), 1 - smoothing);
  return meanSquaredError(logits, smoothing === 0 ? rows : add(rows, smoothing / classes));
}
