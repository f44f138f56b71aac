import { IGNORED_LABEL } from "../../data/dataset.ts";
import {
  cast,
  equal,
  gatherElements,
  logSoftmax,
  mul,
  reduceSum,
  squeeze,
  sub,
  unsqueeze,
  where,
} from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";

/** Log-probabilities of labels, and which of them count. */
export interface LabelScores {
  /** log softmax(logits) at the label, zero where it is ignored; [batch, …positions]. */
  readonly logProbability: Value;
  /** 1 where the label counts, 0 where it is −100; [batch, …positions]. */
  readonly counted: Value;
}

/**
 * The log-probability of every label. The classes may be many (a vocabulary): elements are picked, not multiplied by
 * one-hot rows.
 *
 * @param logits - [batch, …positions, classes]
 * @param labels - int64 class numbers, or −100 for those that do not count; [batch, …positions]
 */
export function labelScores(logits: Value, labels: Value): LabelScores {
  const last = labels.shape.length;
  const ignored = equal(labels, IGNORED_LABEL);
  const counted = sub(1, cast(ignored, logits.dtype));
  const classes = unsqueeze(where(ignored, labels.graph.scalar(0, "int64"), labels), [last]);
  const picked = squeeze(gatherElements(logSoftmax(logits), classes, -1), [last]);
  return { logProbability: mul(picked, counted), counted };
}

/**
 * log p(labels | input) of every sample: the sum over its positions of the log-probability of the label there.
 *
 * @param logits - [batch, …positions, classes]
 * @param labels - int64 [batch, …positions]; −100 where a position does not count (padding, a prompt)
 * @returns [batch], in nats
 */
export function logLikelihood(logits: Value, labels: Value): Value {
  const { logProbability } = labelScores(logits, labels);
  return reduceSum(logProbability, { axes: labels.shape.slice(1).map((_, index) => index + 1) });
}
