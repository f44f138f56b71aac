import { add, mul, oneHot } from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";
import { softCrossEntropy } from "../losses.ts";

/**
 * Cross-entropy with smoothed labels: the target of class k is (1 − ε)·[k = y] + ε/K.
 *
 * @param logits - [batch, classes]
 * @param labels - int64 class numbers [batch]
 * @param smoothing - ε in [0, 1)
 * @returns scalar, in nats
 * Source: Szegedy et al. (2015), arXiv 1512.00567, section 7.
 */
export function smoothedCrossEntropy(logits: Value, labels: Value, smoothing: number): Value {
  const classes = Number(logits.shape.at(-1));
  const targets = mul(oneHot(labels, classes, logits.dtype), 1 - smoothing);
  return softCrossEntropy(logits, add(targets, smoothing / classes));
}
