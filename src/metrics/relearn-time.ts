import { anyScope, defineMetric } from "./contract.ts";
import { expectAtLeast, expectNonNegative, expectShares } from "./metric-input.ts";

/** Added to both times, so that a model that needs no step at all has an index (ERASURE's constant). */
const LEAST_TIME = 0.01;

/**
 * Relearn time: the steps of training on the forget set until the model is within `margin` of what the original knew,
 * min {t : A_t(D_f) ≥ (1 − margin) · A_O(D_f)}. Optimizer, learning rate, batch size and order must be the same for every model compared.
 *
 * @param accuracies - forget accuracy before the first step and after each [steps + 1], in [0, 1]
 * @param original - the original model's forget accuracy, in [0, 1]
 * @param margin - α in [0, 1); 0.05 in the paper
 * @returns steps, or `undefined` when the run ended before
 * @throws LETHE_DATA_TOO_FEW, LETHE_DATA_RANGE
 * @see A. K. Tarun et al. 2021, arXiv 2111.08947; V. S. Chundawat et al. 2023, arXiv 2201.05629 (anamnesis index)
 */
export function relearnTime(
  accuracies: ArrayLike<number>,
  original: number,
  margin = 0.05,
): number | undefined {
  const metric = "relearn-time";
  expectAtLeast(metric, "accuracies", accuracies.length, 1);
  expectShares(metric, { original, margin });
  const steps = Array.from(accuracies);
  for (const accuracy of steps) expectShares(metric, { accuracy });
  const reached = steps.findIndex((accuracy) => accuracy >= (1 - margin) * original);
  return reached < 0 ? undefined : reached;
}

/**
 * The anamnesis index AIN = (t_U + 0.01)/(t_R + 0.01): how much sooner than a retrained model the unlearned one relearns.
 *
 * @param unlearned - its relearn time, in steps
 * @param retrained - the retrained model's, by the same recipe
 * @returns from 0 on: 1 is like retrained, far below 1 knowledge is left, far above 1 the model was damaged
 * @throws LETHE_DATA_RANGE
 */
export function anamnesisIndex(unlearned: number, retrained: number): number {
  expectNonNegative("ain", { unlearned, retrained });
  return (unlearned + LEAST_TIME) / (retrained + LEAST_TIME);
}

/** Relearn time. */
export const relearnTimeMetric = defineMetric({
  id: "relearn-time",
  title: "Relearn time: steps until the forget set is known again",
  references: ["A. K. Tarun et al. 2021, arXiv 2111.08947"],
  scope: anyScope,
  needs: ["forget", "original", "retrained", "relearning"],
  formula: "min {t : A_t(D_f) ≥ 0.95 · A_O(D_f)}",
  range: "0 upwards, in steps; none when the run ended before",
  direction: "as retrained",
  cost: "a short training of the unlearned and of a retrained model on the forget set",
  guarantee: "Much faster than a retrained model: the weights still hold knowledge that outputs may hide.",
  doesNotShow:
    "Knowledge that another optimizer, rate or order would bring back sooner; a damaged model also relearns slowly.",
  compute: relearnTime,
});

/** The anamnesis index. */
export const ainMetric = defineMetric({
  id: "ain",
  title: "Anamnesis index: relearn time against retraining",
  references: ["V. S. Chundawat et al. 2023, arXiv 2201.05629"],
  scope: anyScope,
  needs: ["forget", "original", "retrained", "relearning"],
  formula: "(t_U + 0.01) / (t_R + 0.01)",
  range: "0 upwards; 1 is like retrained, below 1 something is left, far above 1 damage",
  direction: "as retrained",
  cost: "a short training of the unlearned and of a retrained model on the forget set",
  guarantee: "Far below 1, the weights still hold knowledge that outputs may hide.",
  doesNotShow: "Anything finer than a step; when both relearn at once it is 1 whatever is left.",
  compute: anamnesisIndex,
});
