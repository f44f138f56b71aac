import { anyScope, defineMetric } from "./contract.ts";
import { expectShares } from "./metric-input.ts";

/**
 * The adaptive unlearning score, AUS = (1 − (A_O(D_t) − A_U(D_t))) / (1 + Δ): utility kept over distance to the forgetting
 * aimed at, Δ = A_U(D_f) for a class that should vanish, |A_U(D_t) − A_U(D_f)| for samples that should be like new ones.
 *
 * @param accuracies - in [0, 1]; `originalTest` of the model before unlearning
 * @param aim - `class` or `samples`
 * @returns 0 to 2: 1 when nothing was lost and the aim is met; above 1 only where test accuracy rose
 * @throws LETHE_DATA_RANGE
 * @see M. Cotogni et al. 2023, arXiv 2312.02052
 */
export function adaptiveUnlearningScore(
  accuracies: { readonly originalTest: number; readonly test: number; readonly forget: number },
  aim: "class" | "samples",
): number {
  expectShares("aus", { ...accuracies });
  const { originalTest, test, forget } = accuracies;
  const missed = aim === "class" ? forget : Math.abs(test - forget);
  return (1 - (originalTest - test)) / (1 + missed);
}

/**
 * The normalised machine unlearning score, NoMUS = λ·A(D_t) + (1 − λ)·(1 − 2|MIA − ½|): test accuracy and the failure of a
 * membership attack in one number.
 *
 * @param test - test accuracy, in [0, 1]
 * @param attackAccuracy - balanced accuracy of a membership attack, in [0, 1]; ½ is guessing
 * @param weight - λ in [0, 1]; ½ in the paper
 * @returns in [0, 1]
 * @throws LETHE_DATA_RANGE
 * @see D. Choi, D. Na 2023, arXiv 2311.02240
 */
export function normalisedUnlearningScore(test: number, attackAccuracy: number, weight = 1 / 2): number {
  expectShares("nomus", { test, attackAccuracy, weight });
  return weight * test + (1 - weight) * (1 - 2 * Math.abs(attackAccuracy - 1 / 2));
}

/** AUS. */
export const ausMetric = defineMetric({
  id: "aus",
  title: "Adaptive unlearning score",
  references: ["M. Cotogni et al. 2023, arXiv 2312.02052"],
  scope: anyScope,
  needs: ["forget", "test", "original"],
  formula:
    "(1 − (A_O(D_t) − A_U(D_t))) / (1 + Δ), Δ = A_U(D_f) for a class, |A_U(D_t) − A_U(D_f)| for samples",
  range: "0 to 2; 1 when nothing was lost and the aim is met",
  direction: "higher",
  cost: "one forward pass of each model; no retraining",
  guarantee: "Near 1, test accuracy is kept and forget accuracy is where a rule of thumb puts it.",
  doesNotShow:
    "How a retrained model behaves, which it never sees: for samples unlike the test set its aim is wrong.",
  compute: adaptiveUnlearningScore,
});

/** NoMUS. */
export const nomusMetric = defineMetric({
  id: "nomus",
  title: "Normalised machine unlearning score",
  references: ["D. Choi, D. Na 2023, arXiv 2311.02240"],
  scope: anyScope,
  needs: ["forget", "test", "holdout"],
  formula: "½ A_U(D_t) + ½ (1 − 2|MIA − ½|)",
  range: "0 to 1",
  direction: "higher",
  cost: "as the attack it is given",
  guarantee: "High only when the model is useful and the attack given guesses.",
  doesNotShow: "What its attack misses: with a weak one, the original model scores high too.",
  compute: normalisedUnlearningScore,
});
