import { anyScope, defineMetric } from "../contract.ts";
import { expectAtLeast, expectFinite, expectSameLength } from "../metric-input.ts";
import { studentLogDensity } from "../statistics/student-t.ts";
import { mean, squaredDeviations } from "../statistics/summary.ts";
import { pooledVariance, type ShadowMargins } from "./shadow-margins.ts";

/**
 * Freedom of the prior where sample variances differ no more than chance allows: then they are one and the same, and a large number
 * stands for infinity.
 */
const EQUAL_VARIANCES = 1e6;

/**
 * The likelihood ratio attack for few shadow models: the variance of each sample has an inverse-gamma prior, so that the
 * predictive law of a margin is Student's t,
 * score = log t_{ν}(m; m̄_in, s̃_in √(1 + 1/n_in)) − log t_{ν'}(m; m̄_out, s̃_out √(1 + 1/n_out)), with
 * s̃² = ((ν₀ − 2) s₀² + (n − 1) s²)/(ν₀ + n − 1), ν = ν₀ + n − 1, s₀² the pooled variance (the prior's mean) and ν₀ fitted to how
 * much the samples' variances differ.
 *
 * @param target - margins of the model under test [samples]
 * @param shadows - per sample at least one margin on each side
 * @returns scores [samples], larger means member
 * @throws LETHE_DATA_SHAPE, LETHE_DATA_TOO_FEW, LETHE_NUMERIC_NOT_FINITE
 * @see R. Brännvall 2026, arXiv 2603.11799 (BaVarIA-t: normal-inverse-gamma prior, Student-t predictive). Departure: the paper's
 * hyper-parameters were not at hand; ours are empirical Bayes, ν₀ from the spread of sample variances (as G. K. Smyth 2004 does
 * for few replicates), with a flat prior on the mean.
 */
export function bavariaT(target: Float64Array, shadows: ShadowMargins): Float64Array {
  const metric = "bavaria-t";
  const { inside, outside } = shadows;
  expectSameLength(metric, { target, inside, outside });
  expectFinite(metric, "target margins", target);
  const within = sidePredictive(metric, "margins a sample of models trained with it", inside);
  const without = sidePredictive(metric, "margins a sample of models trained without it", outside);
  return target.map((margin, sample) => within(margin, sample) - without(margin, sample));
}

/** The log predictive density of a margin at a sample, for one side. */
function sidePredictive(
  metric: string,
  what: string,
  groups: readonly Float64Array[],
): (margin: number, sample: number) => number {
  expectAtLeast(metric, what, Math.min(...groups.map(({ length }) => length)), 1);
  for (const group of groups) expectFinite(metric, "shadow margins", group);
  const common = pooledVariance(metric, groups);
  const prior = priorFreedom(groups, common);
  const laws = groups.map((group) => {
    const n = group.length;
    const freedom = prior + n - 1;
    const spread = ((prior - 2) * common + squaredDeviations(group)) / freedom;
    return { centre: mean(group), scale: Math.sqrt(spread * (1 + 1 / n)), freedom };
  });
  return (margin, sample) => {
    const { centre, scale, freedom } = laws[sample] as (typeof laws)[number];
    return studentLogDensity((margin - centre) / scale, freedom) - Math.log(scale);
  };
}

/**
 * ν₀ by moments: under the prior the variances s_i² follow an F law, whose relative variance is
 * 2/d + 2(1 + 2/d)/(ν₀ − 4), d = n − 1; solved for ν₀, which is always above 4.
 */
function priorFreedom(groups: readonly Float64Array[], common: number): number {
  const usable = groups.filter(({ length }) => length > 1);
  if (usable.length < 2) return EQUAL_VARIANCES;
  const ratios = usable.map((group) => squaredDeviations(group) / (group.length - 1) / common);
  const freedom = mean(usable.map(({ length }) => length - 1));
  const centre = mean(ratios);
  if (centre === 0) return EQUAL_VARIANCES;
  const relative = squaredDeviations(ratios) / ratios.length / centre ** 2;
  const excess = relative - 2 / freedom;
  if (excess <= 0) return EQUAL_VARIANCES;
  return Math.min(EQUAL_VARIANCES, 4 + (2 * (1 + 2 / freedom)) / excess);
}

/** The attack for few shadow models. */
export const bavariaTMetric = defineMetric({
  id: "bavaria-t",
  title: "Likelihood ratio attack with Bayesian variances, for few shadow models",
  references: [
    "R. Brännvall 2026, arXiv 2603.11799",
    "G. K. Smyth 2004, Linear models and empirical Bayes methods",
  ],
  scope: anyScope,
  needs: ["forget", "holdout", "shadow-models"],
  formula:
    "log t(m; m̄_in, s̃_in) − log t(m; m̄_out, s̃_out), s̃² between the sample's own and the pooled variance",
  range: "any real score a sample; AUC in [0, 1], ½ is guessing",
  direction: "as retrained",
  cost: "4 to 32 trainings of shadow models on random halves of the data",
  guarantee:
    "A true positive rate above the false positive rate is a lower bound on what leaks about single samples.",
  doesNotShow:
    "That a stronger attack would fail too, nor traces that unlearning itself leaves: the shadows are trained, not unlearned.",
  compute: bavariaT,
});
