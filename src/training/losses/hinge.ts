import {
  add,
  gatherElements,
  mul,
  oneHot,
  reduceMean,
  relu,
  sub,
  unsqueeze,
} from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";

/**
 * Multiclass hinge loss (1/(N·K)) Σₙ Σ_{k ≠ yₙ} max(0, margin − (xₙ,yₙ − xₙₖ)).
 *
 * @param logits - x, [batch, classes]
 * @param labels - y, int64 class numbers [batch]
 * @param margin - by how much the label's score should lead
 * @returns scalar
 * Source: Weston & Watkins, "Support vector machines for multi-class pattern recognition" (1999); scaled by 1/K as in PyTorch.
 */
export function hinge(logits: Value, labels: Value, margin = 1): Value {
  const own = gatherElements(logits, unsqueeze(labels, [1]), 1); // [batch, 1]
  const others = sub(1, oneHot(labels, Number(logits.shape[1]), logits.dtype));
  return reduceMean(mul(relu(add(sub(logits, own), margin)), others));
}
