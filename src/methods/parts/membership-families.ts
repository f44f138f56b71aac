import type { Architecture } from "../../models/architecture.ts";
import { dense } from "../../models/modules/dense.ts";
import { networkOf, sequence, stateless } from "../../models/modules/module.ts";
import { batchNormalized } from "../../models/modules/normalization.ts";
import { int } from "../../onnx/attributes.ts";
import {
  add,
  concat,
  exp,
  log,
  logSoftmax,
  mul,
  neg,
  reduceMax,
  reduceSum,
  relu,
  split,
  stopGradient,
  sub,
} from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";

/** The class numbers of a membership model's answer. */
export const NON_MEMBER = 0;
export const MEMBER = 1;

/** Scores looked at by the family that sorts them: below these hardly any probability is left. */
const MOST_SORTED = 5;

/** Units of the hidden layer: more would learn the few non-members by heart. */
const HIDDEN = 16;

/**
 * Three families of membership models, each a classifier of what a model answered, differentiable by that answer. An input row is
 * [class scores, one-hot label], 2·classes numbers; the families see in it
 *
 *   confidence: φ = log(p_y / (1 − p_y)), by logistic regression — the true label's loss on a scale on which it is nearly Gaussian
 *   ranking:    the largest log p in order, by a perceptron; no label
 *   summary:    entropy, φ, loss −log p_y and the label, by a perceptron
 *
 * Logarithms, since probabilities of a model that is sure have no gradient left to follow.
 *
 * Sources: M. H. Huang, L. G. Foo, J. Liu, arXiv 2407.10494, who leave the models open; N. Carlini et al., arXiv 2112.03570 (φ).
 */
export function membershipFamilies(classes: number): readonly Architecture[] {
  const sorted = Math.min(classes, MOST_SORTED);
  return [
    family("confidence", classes, 1, [], (scores, label) => logitOfLabel(scores, label)),
    family("ranking", classes, sorted, [HIDDEN], (scores) => largest(logSoftmax(scores), sorted)),
    // Three numbers and the label.
    family("summary", classes, 3 + classes, [HIDDEN], (scores, label) => {
      const logs = logSoftmax(scores);
      const entropy = neg(rowSum(mul(exp(logs), logs)));
      return concat([entropy, logitOfLabel(scores, label), neg(rowSum(mul(logs, label))), label], 1);
    }),
  ];
}

function family(
  id: string,
  classes: number,
  width: number,
  hidden: readonly number[],
  featuresOf: (scores: Value, label: Value) => Value,
): Architecture {
  const widths = [width, ...hidden, 2];
  const layers = widths
    .slice(1)
    .flatMap((outputs, index) => [
      ...(index === 0 ? [] : [stateless(relu)]),
      dense(`fc${index + 1}`, { inputs: widths[index] as number, outputs }),
    ]);
  const features = stateless((row) => {
    const [scores, label] = split(row, [classes, classes], 1) as [Value, Value];
    return featuresOf(scores, label);
  });
  return networkOf(
    { id: `membership-${id}`, inputShape: [2 * classes], classes: 2 },
    sequence(features, batchNormalized("scale", width), ...layers),
  );
}

/** φ = z_y − log Σ_{c≠y} exp z_c, [batch, 1]: no probability is formed on the way. */
function logitOfLabel(scores: Value, label: Value): Value {
  // What is taken off the own score: exp is 0 behind it.
  const others = sub(scores, mul(label, 1e4));
  const top = stopGradient(reduceMax(others, { axes: [1], keepDims: true }));
  return sub(rowSum(mul(scores, label)), add(log(rowSum(exp(sub(others, top)))), top));
}

function rowSum(rows: Value): Value {
  return reduceSum(rows, { axes: [1], keepDims: true });
}

function largest(rows: Value, count: number): Value {
  const [values] = rows.graph.emit(
    "TopK",
    [rows, rows.graph.integers([count])],
    { axis: int(1) },
    { outputCount: 2 },
  );
  return values as Value;
}
