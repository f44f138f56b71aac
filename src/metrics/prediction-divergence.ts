import { anyScope, defineMetric } from "./contract.ts";
import { logProbabilities } from "./log-probabilities.ts";
import { expectSameLength } from "./metric-input.ts";
import { expectScored, type ScoredSamples } from "./scored-samples.ts";
import { mean } from "./statistics/summary.ts";

/** Divergences of two models' predictions, sample by sample. */
export interface PredictionDivergence {
  /** Jensen–Shannon divergence [samples], in bits: 0 to 1 */
  readonly jensenShannon: Float64Array;
  /** KL(reference ‖ model) [samples], in nats, from 0 on */
  readonly kullbackLeibler: Float64Array;
  readonly meanJensenShannon: number;
  readonly meanKullbackLeibler: number;
}

/**
 * How far a model's predicted distributions are from a reference's on the same samples:
 * JS(p, q) = ½ KL(p ‖ m) + ½ KL(q ‖ m) with m = (p + q)/2 and logarithms to base 2; KL(q ‖ p) = Σ_k q_k ln(q_k/p_k), p the
 * model's, q the reference's.
 *
 * @param model - scores of the model under test
 * @param reference - scores of the reference (a retrained model) on the same samples
 * @throws LETHE_DATA_SHAPE, LETHE_DATA_TOO_FEW, LETHE_DATA_LABEL, LETHE_NUMERIC_NOT_FINITE
 */
export function predictionDivergence(model: ScoredSamples, reference: ScoredSamples): PredictionDivergence {
  const metric = "prediction-divergence";
  expectScored(metric, "model", model);
  expectScored(metric, "reference", reference);
  expectSameLength(metric, { model: model.logits, reference: reference.logits });
  const { classes } = model;
  const p = logProbabilities(model.logits, classes);
  const q = logProbabilities(reference.logits, classes);
  const perSample = (term: (logP: number, logQ: number) => number): Float64Array =>
    Float64Array.from(model.labels, (_, row) => {
      let sum = 0;
      for (let k = row * classes; k < (row + 1) * classes; k++) sum += term(p[k] as number, q[k] as number);
      // Rounding may leave a sum a hair below 0.
      return Math.max(0, sum);
    });
  const jensenShannon = perSample((logP, logQ) => {
    const logMiddle = Math.max(logP, logQ) + Math.log1p(Math.exp(-Math.abs(logP - logQ))) - Math.LN2;
    const bits = Math.exp(logP) * (logP - logMiddle) + Math.exp(logQ) * (logQ - logMiddle);
    return bits / (2 * Math.LN2);
  });
  const kullbackLeibler = perSample((logP, logQ) => Math.exp(logQ) * (logQ - logP));
  return {
    jensenShannon,
    kullbackLeibler,
    meanJensenShannon: mean(jensenShannon),
    meanKullbackLeibler: mean(kullbackLeibler),
  };
}

/** Divergence from the retrained model. */
export const predictionDivergenceMetric = defineMetric({
  id: "prediction-divergence",
  title: "Divergence of predictions from a retrained model (JS, KL)",
  references: ["J. Lin 1991, Divergence measures based on the Shannon entropy"],
  scope: anyScope,
  needs: ["forget", "several-retrained"],
  formula: "mean over D_f of JS₂(p_U(x), p_R(x)), and of KL(p_R(x) ‖ p_U(x))",
  range: "JS 0 to 1 bit, KL 0 upwards in nats; two retrained models against each other set the floor",
  direction: "lower",
  cost: "one forward pass of each model and two retrainings",
  guarantee:
    "At the floor, predictions are as alike as those of two retrained models, on average over the samples.",
  doesNotShow: "Single samples that still stand out, and inputs that were not measured.",
  compute: predictionDivergence,
});

/**
 * Zero retrain forgetting, ZRF = 1 − mean over D_f of JS₂(p_U(x), p_T(x)), T a model with random weights: 1 when the
 * model knows no more of the forget set than an untrained one.
 *
 * @param unlearned - scores on the forget set
 * @param randomTeacher - scores of the untrained model on the same samples
 * @returns in [0, 1]. Compare it with the value of a retrained model, not with 1: knowing nothing of a class whose other samples
 * were kept is itself a trace
 * @throws what {@link predictionDivergence} throws
 * @see V. S. Chundawat et al. 2023, arXiv 2205.08096. Departure: base-2 logarithms, summed over classes, so that it reaches 0.
 */
export function zeroRetrainForgetting(unlearned: ScoredSamples, randomTeacher: ScoredSamples): number {
  return 1 - predictionDivergence(unlearned, randomTeacher).meanJensenShannon;
}

/** ZRF. */
export const zrfMetric = defineMetric({
  id: "zrf",
  title: "Zero retrain forgetting: likeness to an untrained model",
  references: ["V. S. Chundawat et al. 2023, arXiv 2205.08096"],
  scope: ["class", "sample", "group"],
  needs: ["forget", "random-teacher", "retrained"],
  formula: "1 − mean over D_f of JS₂(p_U(x), p_T(x)), T untrained",
  range: "0 to 1; the retrained model's value is the aim, usually well below 1",
  direction: "as retrained",
  cost: "two forward passes",
  guarantee:
    "A value below the retrained model's shows predictions more certain than a model without the data would make.",
  doesNotShow:
    "Forgetting by itself: a ruined model scores 1, and so does one trained to imitate the untrained teacher on just these samples.",
  compute: zeroRetrainForgetting,
});
