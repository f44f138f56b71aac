import { LetheError } from "../kernel/errors.ts";
import {
  div,
  exp,
  logSoftmax,
  mul,
  neg,
  oneHot,
  reduceMean,
  reduceSum,
  square,
  sub,
} from "../onnx/functions/index.ts";
import type { Value } from "../onnx/ir.ts";
import { formatShape } from "../onnx/shape.ts";
import { labelScores } from "./losses/log-likelihood.ts";

/**
 * Cross-entropy −(1/N) Σₙ log softmax(logits)ₙ,yₙ, over samples or over all their positions.
 *
 * @param logits - [batch, …positions, classes]
 * @param labels - int64 class numbers [batch, …positions]; where there are positions, those labelled −100 are left out, of the
 *   sum and of N
 * @returns scalar, in nats; NaN where no position is left
 */
export function crossEntropy(logits: Value, labels: Value): Value {
  if (labels.shape.length > 1) return positionCrossEntropy(logits, labels);
  return softCrossEntropy(logits, oneHot(labels, Number(logits.shape.at(-1)), logits.dtype));
}

function positionCrossEntropy(logits: Value, labels: Value): Value {
  const { logProbability, counted } = labelScores(logits, labels);
  return neg(div(reduceSum(logProbability), reduceSum(counted)));
}

/**
 * Cross-entropy with soft targets: −(1/N) Σₙ Σₖ pₙₖ·log softmax(logits)ₙₖ.
 *
 * @param targets - probabilities [batch, classes]
 */
export function softCrossEntropy(logits: Value, targets: Value): Value {
  return reduceMean(softCrossEntropies(logits, targets));
}

/**
 * Each sample's cross-entropy, −log softmax(logits)ₙ,yₙ, its negative log-likelihood.
 *
 * @param logits - [batch, classes]
 * @param labels - int64 class numbers [batch]
 * @returns [batch]
 * @throws LETHE_USAGE_LOSS_SHAPE for scores at several positions of a sample: these need a loss of their own
 */
export function crossEntropies(logits: Value, labels: Value): Value {
  if (logits.shape.length !== 2 || labels.shape.length !== 1) {
    throw new LetheError(
      "usage",
      "USAGE_LOSS_SHAPE",
      `Expected scores [batch, classes] and a label a sample, got ${formatShape(logits.shape)} and ` +
        `${formatShape(labels.shape)}. Give a \`loss\` of your own.`,
    );
  }
  return softCrossEntropies(logits, oneHot(labels, Number(logits.shape[1]), logits.dtype));
}

function softCrossEntropies(logits: Value, targets: Value): Value {
  return neg(reduceSum(mul(logSoftmax(logits), targets), { axes: [-1] }));
}

/** Mean squared error (1/(N·K)) Σ (output − target)². */
export function meanSquaredError(outputs: Value, targets: Value): Value {
  return reduceMean(square(sub(outputs, targets)));
}

/**
 * KL(teacher ‖ student) of the classes' probabilities at a temperature, times T² so that gradients keep their size:
 * (T²/N) Σₙ Σₖ pₙₖ·(log pₙₖ − log qₙₖ), p = softmax(teacher/T), q = softmax(student/T).
 * Source: Hinton et al., "Distilling the knowledge in a neural network" (2015), section 2.
 */
export function klDivergence(teacherLogits: Value, studentLogits: Value, temperature = 1): Value {
  const divergence = reduceMean(sampleDivergences(teacherLogits, studentLogits, temperature));
  return mul(divergence, temperature * temperature);
}

/** KL(teacher ‖ student) of every sample's probabilities at a temperature, [N], in nats and not times T². */
export function sampleDivergences(teacherLogits: Value, studentLogits: Value, temperature: number): Value {
  const logP = logSoftmax(mul(teacherLogits, 1 / temperature));
  const logQ = logSoftmax(mul(studentLogits, 1 / temperature));
  return reduceSum(mul(exp(logP), sub(logP, logQ)), { axes: [-1] });
}
