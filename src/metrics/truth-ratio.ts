import { anyScope, defineMetric } from "./contract.ts";
import { expectAtLeast, expectFinite, expectSameLength } from "./metric-input.ts";
import { type KolmogorovSmirnov, kolmogorovSmirnov } from "./statistics/kolmogorov-smirnov.ts";
import { mean } from "./statistics/summary.ts";

/** Losses of answers to questions, per token, in nats. */
export interface AnswerLosses {
  /** Of a paraphrase of the right answer [questions]. */
  readonly paraphrase: ArrayLike<number>;
  /** Of wrong answers of the same form [questions][wrong]. */
  readonly wrong: readonly ArrayLike<number>[];
}

/**
 * TOFU's truth ratio of every question: R = mean over wrong answers of P(wrong)^(1/length) / P(paraphrase)^(1/length), with
 * P^(1/length) = exp(−loss per token). Far below 1 the model prefers the truth, near 1 it does not know.
 *
 * @param averaging - `arithmetic` as in the paper; `geometric`, exp of the mean log, as in the published code
 * @returns [questions], above 0
 * @throws LETHE_DATA_SHAPE, LETHE_DATA_TOO_FEW, LETHE_NUMERIC_NOT_FINITE
 * @see P. Maini et al. 2024, arXiv 2401.06121 (eq. 1)
 */
export function truthRatio(
  { paraphrase, wrong }: AnswerLosses,
  averaging: "arithmetic" | "geometric" = "arithmetic",
): Float64Array {
  const metric = "truth-ratio";
  expectSameLength(metric, { paraphrase, wrong });
  expectAtLeast(metric, "questions", paraphrase.length, 1);
  expectFinite(metric, "paraphrase losses", paraphrase);
  return Float64Array.from(wrong, (losses, question) => {
    expectAtLeast(metric, "wrong answers a question", losses.length, 1);
    expectFinite(metric, "losses of wrong answers", losses);
    const advantages = Array.from(losses, (loss) => (paraphrase[question] as number) - loss);
    return averaging === "geometric" ? Math.exp(mean(advantages)) : mean(advantages.map(Math.exp));
  });
}

/** The test with a warning sign. */
export interface TofuForgetQuality extends KolmogorovSmirnov {
  /** Every ratio equals its counterpart: bit-identical models, or the same log given twice. */
  readonly isIdentical: boolean;
}

/**
 * TOFU's forget quality: the p-value of a two-sample Kolmogorov–Smirnov test between the truth ratios of the forget questions under
 * the unlearned and under the retrained model, with the statistic: p falls with the number of questions alone, D does not.
 *
 * @param unlearned - truth ratios [questions]
 * @param retrained - truth ratios [questions]
 * @throws LETHE_DATA_TOO_FEW, LETHE_NUMERIC_NOT_FINITE
 * @see P. Maini et al. 2024, arXiv 2401.06121
 */
export function tofuForgetQuality(
  unlearned: ArrayLike<number>,
  retrained: ArrayLike<number>,
): TofuForgetQuality {
  const isIdentical =
    unlearned.length === retrained.length &&
    Array.from(unlearned).every((ratio, index) => ratio === retrained[index]);
  return { ...kolmogorovSmirnov(unlearned, retrained), isIdentical };
}

/** Truth ratio. */
export const truthRatioMetric = defineMetric({
  id: "truth-ratio",
  title: "Truth ratio of TOFU",
  references: ["P. Maini et al. 2024, arXiv 2401.06121"],
  scope: anyScope,
  needs: ["forget", "paraphrases", "token-probabilities", "retrained"],
  formula: "mean over wrong answers of P(wrong)^(1/|wrong|) / P(paraphrase)^(1/|paraphrase|)",
  range: "above 0; far below 1 the truth is preferred, near 1 not known",
  direction: "as retrained",
  cost: "one forward pass over the answers of each question",
  guarantee:
    "Ratios distributed as the retrained model's: it prefers the truth no more than a model that never read it.",
  doesNotShow: "Knowledge that shows in other wordings, languages or by extraction.",
  compute: truthRatio,
});

/** TOFU's forget quality. */
export const tofuForgetQualityMetric = defineMetric({
  id: "tofu-forget-quality",
  title: "Forget quality of TOFU",
  references: ["P. Maini et al. 2024, arXiv 2401.06121"],
  scope: anyScope,
  needs: ["forget", "paraphrases", "token-probabilities", "retrained"],
  formula: "p of the two-sample Kolmogorov–Smirnov test between truth ratios of U and R, and D itself",
  range: "p 0 to 1, D 0 to 1; p above 0.05: the test cannot tell them apart",
  direction: "higher",
  cost: "as truth-ratio, for both models",
  guarantee: "A small p shows that the two models treat the forgotten facts differently.",
  doesNotShow:
    "Likeness: with few questions p is large whatever the model does, so read D and its count beside it.",
  compute: tofuForgetQuality,
});
