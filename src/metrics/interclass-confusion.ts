import { LetheError } from "../kernel/errors.ts";
import { confusionMatrix } from "./accuracy.ts";
import { defineMetric } from "./contract.ts";
import { expectAtLeast, expectSameLength } from "./metric-input.ts";

/** What is left of labels that were swapped between two classes. */
export interface InterclassConfusion {
  /** IC-ERR: share of test samples of the two classes that are misclassified, in [0, 1]. */
  readonly error: number;
  /** FGT-ERR: test samples of one of the two classes taken for the other, a count. */
  readonly confused: number;
}

/**
 * The interclass confusion test: before training, labels of some samples of two classes were swapped; those samples are then
 * unlearned. With C the confusion matrix on clean test data (rows true):
 * IC-ERR = (Σ_{k≠a} C_ak + Σ_{k≠b} C_bk) / (Σ_k C_ak + Σ_k C_bk), FGT-ERR = C_ab + C_ba.
 *
 * @param predicted - on clean test samples [count]
 * @param labels - [count]
 * @param pair - the two classes whose labels were swapped
 * @throws LETHE_DATA_SHAPE, LETHE_DATA_LABEL, LETHE_DATA_TOO_FEW without samples of both classes
 * @see S. Goel et al. 2022, arXiv 2201.06640; M. Kurmanji et al. 2023, arXiv 2302.09880
 */
export function interclassConfusion(
  predicted: Int32Array,
  labels: Int32Array,
  pair: readonly [number, number],
): InterclassConfusion {
  const metric = "interclass-confusion";
  expectSameLength(metric, { predicted, labels });
  const [a, b] = pair;
  if (a === b || a < 0 || b < 0) {
    throw new LetheError(
      "data",
      "DATA_LABEL",
      `Expected two classes in metric \`${metric}\`, got ${a} and ${b}.`,
    );
  }
  const classes =
    1 + labels.reduce((most, label) => Math.max(most, label), Math.max(a, b, ...new Set(predicted)));
  const counts = confusionMatrix(predicted, labels, classes);
  const count = (row: number, column: number): number => counts[row]?.[column] as number;
  const total = (row: number): number => counts[row]?.reduce((sum, entry) => sum + entry, 0) as number;
  expectAtLeast(metric, `test samples of class ${a}`, total(a), 1);
  expectAtLeast(metric, `test samples of class ${b}`, total(b), 1);
  return {
    error: 1 - (count(a, a) + count(b, b)) / (total(a) + total(b)),
    confused: count(a, b) + count(b, a),
  };
}

/** Interclass confusion. */
export const interclassConfusionMetric = defineMetric({
  id: "interclass-confusion",
  title: "Interclass confusion left by swapped labels (IC-ERR, FGT-ERR)",
  references: ["S. Goel et al. 2022, arXiv 2201.06640", "M. Kurmanji et al. 2023, arXiv 2302.09880"],
  scope: ["sample"],
  needs: ["test", "original", "retrained"],
  formula: "IC-ERR = share of test samples of a and b misclassified; FGT-ERR = C_ab + C_ba",
  range: "IC-ERR 0 to 1, FGT-ERR 0 upwards; the retrained model's values are the aim",
  direction: "as retrained",
  cost: "a training with swapped labels, its unlearning, and a retraining",
  guarantee: "At the retrained models' values, the harm the wrong labels did to the two classes is repaired.",
  doesNotShow: "Whether the samples themselves can still be recognised as members.",
  compute: interclassConfusion,
});
