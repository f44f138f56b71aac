import { anyScope, defineMetric } from "./contract.ts";
import { expectSameLength } from "./metric-input.ts";

/**
 * Share of predictions that equal the label, in [0, 1]; NaN for no samples. On an attack's triggered samples, whose labels are
 * what the attacker wants, this is the attack success rate.
 *
 * @param predicted - [count] class numbers
 * @param labels - [count]
 * @throws LETHE_DATA_SHAPE
 */
export function accuracy(predicted: Int32Array, labels: Int32Array): number {
  expectSameLength("accuracy", { predicted, labels });
  let hits = 0;
  for (let row = 0; row < labels.length; row++) if (predicted[row] === labels[row]) hits++;
  return hits / labels.length;
}

/**
 * Share of samples on which two models predict the same class, in [0, 1]. Judges an unlearned model against a retrained
 * one; two retrained models with different batch orders set the ceiling.
 */
export function agreement(a: Int32Array, b: Int32Array): number {
  return accuracy(a, b);
}

/**
 * Counts of (true class, predicted class).
 *
 * @returns [classes, classes], row = true class
 */
export function confusionMatrix(predicted: Int32Array, labels: Int32Array, classes: number): number[][] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  labels.forEach((label, row) => {
    const line = counts[label] as number[];
    const column = predicted[row] as number;
    line[column] = (line[column] as number) + 1;
  });
  return counts;
}

/** Agreement with a retrained model. */
export const agreementMetric = defineMetric({
  id: "agreement",
  title: "Agreement with a retrained model",
  references: [],
  scope: anyScope,
  needs: ["test", "several-retrained"],
  formula: "#{x : argmax f_U(x) = argmax f_R(x)} / n",
  range: "0 to 1; two retrained models with different batch orders set the ceiling, below 1",
  direction: "higher",
  cost: "one forward pass of each model and two retrainings",
  guarantee: "At the ceiling, decisions are as alike as those of two retrained models.",
  doesNotShow:
    "Confidence: models may decide alike and still betray by their scores what they were trained on.",
  compute: agreement,
});
