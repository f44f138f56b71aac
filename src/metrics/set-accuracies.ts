import { accuracy } from "./accuracy.ts";
import { anyScope, defineMetric } from "./contract.ts";
import { expectAtLeast, expectSameLength, expectShares } from "./metric-input.ts";
import { predictedClasses } from "./predictions.ts";
import { expectScored, type ScoredSamples } from "./scored-samples.ts";

/** Share of samples classified right, in [0, 1], with the scores checked first. */
function scoredAccuracy(metric: string, name: string, samples: ScoredSamples): number {
  expectScored(metric, name, samples);
  return accuracy(predictedClasses(samples.logits, samples.classes), samples.labels);
}

/**
 * Unlearning accuracy UA = 1 − acc(D_f), the error on the forget set.
 *
 * @returns in [0, 1]
 * @throws what `expectScored` throws
 * @see J. Jia et al. 2023, arXiv 2304.04934
 */
export function unlearningAccuracy(forget: ScoredSamples): number {
  return 1 - scoredAccuracy("ua", "forget", forget);
}

/** Retain accuracy RA = acc(D_r), in [0, 1]; see {@link unlearningAccuracy}. */
export function retainAccuracy(retain: ScoredSamples): number {
  return scoredAccuracy("ra", "retain", retain);
}

/** Test accuracy TA = acc(D_t), in [0, 1]; see {@link unlearningAccuracy}. */
export function testAccuracy(test: ScoredSamples): number {
  return scoredAccuracy("ta", "test", test);
}

/**
 * The average gap of the sparse-unlearning tables: the mean of |u_k − r_k| over figures such as UA, RA, TA and MIA-efficacy.
 *
 * @param unlearned - shares in [0, 1], in the order of `retrained`
 * @returns in [0, 1]; 0 when every figure equals the retrained model's
 * @throws LETHE_DATA_SHAPE, LETHE_DATA_RANGE, LETHE_DATA_TOO_FEW
 * @see C. Fan et al. 2024, arXiv 2310.12508
 */
export function averageGap(unlearned: readonly number[], retrained: readonly number[]): number {
  expectSameLength("average-gap", { unlearned, retrained });
  expectAtLeast("average-gap", "figures", unlearned.length, 1);
  const gaps = unlearned.map((share, index) => {
    const other = retrained[index] as number;
    expectShares("average-gap", { unlearned: share, retrained: other });
    return Math.abs(share - other);
  });
  return gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
}

const papers = ["J. Jia et al. 2023, arXiv 2304.04934", "C. Fan et al. 2024, arXiv 2310.12508"];

/** UA. */
export const uaMetric = defineMetric({
  id: "ua",
  title: "Unlearning accuracy: error on the forget set",
  references: papers,
  scope: anyScope,
  needs: ["forget", "retrained"],
  formula: "1 − #{x ∈ D_f : argmax f(x) = y} / |D_f|",
  range: "0 to 1; for random forget sets about the test error, near 1 only for whole classes",
  direction: "as retrained",
  cost: "one forward pass",
  guarantee: "Far from the retrained models' value, the forget set is still known or has been damaged.",
  doesNotShow:
    "Forgetting: a model may err on samples it remembers, and a retrained model is right on most samples it never saw.",
  compute: unlearningAccuracy,
});

/** RA. */
export const raMetric = defineMetric({
  id: "ra",
  title: "Retain accuracy",
  references: papers,
  scope: anyScope,
  needs: ["retain", "retrained"],
  formula: "#{x ∈ D_r : argmax f(x) = y} / |D_r|",
  range: "0 to 1",
  direction: "as retrained",
  cost: "one forward pass over the retained training data",
  guarantee: "Near the retrained models' value, what was to be kept is still fitted.",
  doesNotShow: "Use on new data, and nothing about forgetting.",
  compute: retainAccuracy,
});

/** TA. */
export const taMetric = defineMetric({
  id: "ta",
  title: "Test accuracy",
  references: papers,
  scope: anyScope,
  needs: ["test", "retrained"],
  formula: "#{x ∈ D_t : argmax f(x) = y} / |D_t|",
  range: "0 to 1",
  direction: "as retrained",
  cost: "one forward pass",
  guarantee: "Near the retrained models' value, the model is as useful on new data.",
  doesNotShow: "Anything about forgetting, and harm to a small group of samples.",
  compute: testAccuracy,
});

/** The average gap. */
export const averageGapMetric = defineMetric({
  id: "average-gap",
  title: "Average gap of the sparse-unlearning tables",
  references: papers,
  scope: anyScope,
  needs: ["forget", "retain", "test", "holdout", "retrained"],
  formula: "mean of |U − R| over UA, RA, TA and MIA-efficacy",
  range: "0 to 1; 0 when every figure equals the retrained model's",
  direction: "lower",
  cost: "as its four figures, for both models",
  guarantee: "Small only when all four figures are near the retrained model's.",
  doesNotShow: "What its four figures do not show; a mean also hides one large gap among small ones.",
  compute: averageGap,
});
