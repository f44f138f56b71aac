import { z } from "zod";
import { LetheError } from "../../kernel/errors.ts";
import { anyScope, defineMetric } from "../contract.ts";
import { expectAtLeast, expectFinite, expectSameLength, parseMetricSettings } from "../metric-input.ts";
import { countBelow } from "../statistics/rank-probability.ts";
import { mean, sorted } from "../statistics/summary.ts";

const config = z.strictObject({
  /** γ: by how much a sample's ratio must exceed a population sample's to count. */
  dominance: z.number().gte(1).default(2),
  /** a: P(x) ≈ ½((1 + a)·p̄_out + 1 − a) where no model was trained with x. 0.3 is the paper's for CIFAR-10; 1 takes p̄_out as it is. */
  offlineSlope: z.number().gte(0).max(1).default(0.3),
});

/** Probabilities p_y of samples under the target and under reference models. */
export interface ReferenceProbabilities {
  /** [samples], of the model under test */
  readonly target: Float64Array;
  /** Per sample: of models trained without it. */
  readonly outside: readonly ArrayLike<number>[];
  /** Per sample: of models trained with it; left out for the offline attack. */
  readonly inside?: readonly ArrayLike<number>[];
}

/**
 * The relative membership attack: how many population samples z does x beat,
 * score(x) = share of z with (p(x|θ)/p(x)) / (p(z|θ)/p(z)) ≥ γ; p(x) the mean over reference models, half of them trained with x, or
 * the offline approximation ½((1 + a)·p̄_out + 1 − a).
 *
 * @param samples - whose membership is asked
 * @param population - samples no model was trained on; at least one
 * @returns scores [samples] in [0, 1], larger means member
 * @throws LETHE_DATA_SHAPE, LETHE_DATA_TOO_FEW, LETHE_NUMERIC_NOT_FINITE, LETHE_DATA_RANGE, LETHE_USAGE_CONFIG
 * @see S. Zarifzadeh et al. 2024, arXiv 2312.03262 (eq. 8, 9)
 */
export function rmia(
  samples: ReferenceProbabilities,
  population: Omit<ReferenceProbabilities, "inside">,
  settings?: z.input<typeof config>,
): Float64Array {
  const metric = "rmia";
  const { dominance, offlineSlope } = parseMetricSettings(metric, config, settings);
  expectAtLeast(metric, "population samples", population.target.length, 1);
  const ratios = sorted(logRatios(metric, population, offlineSlope));
  const own = logRatios(metric, samples, offlineSlope);
  return own.map((ratio) => countBelow(ratios, ratio - Math.log(dominance), true) / ratios.length);
}

/** ln(p(x|θ)/p(x)) of every sample. */
function logRatios(
  metric: string,
  { target, outside, inside }: ReferenceProbabilities,
  offlineSlope: number,
): Float64Array {
  expectSameLength(metric, { target, outside, ...(inside === undefined ? {} : { inside }) });
  expectProbabilities(metric, target);
  return target.map((probability, sample) => {
    const out = outside[sample] as ArrayLike<number>;
    const within = inside?.[sample];
    for (const group of within === undefined ? [out] : [out, within]) {
      expectAtLeast(metric, "reference models a sample", group.length, 1);
      expectProbabilities(metric, group);
    }
    const average =
      within === undefined
        ? ((1 + offlineSlope) * mean(out) + 1 - offlineSlope) / 2
        : (mean(out) + mean(within)) / 2;
    // A probability that vanished in single precision: the least number keeps the ratio finite.
    return Math.log(Math.max(Number.MIN_VALUE, probability)) - Math.log(Math.max(Number.MIN_VALUE, average));
  });
}

function expectProbabilities(metric: string, values: ArrayLike<number>): void {
  expectFinite(metric, "probabilities", values);
  const outside = Array.from(values).filter((value) => value < 0 || value > 1).length;
  if (outside === 0) return;
  throw new LetheError(
    "data",
    "DATA_RANGE",
    `Expected probabilities in [0, 1] in metric \`${metric}\`, got ${outside} of ${values.length} outside. Give softmax values, not logits.`,
  );
}

/** The relative membership attack. */
export const rmiaMetric = defineMetric({
  id: "rmia",
  title: "Relative membership inference attack (RMIA)",
  references: ["S. Zarifzadeh et al. 2024, arXiv 2312.03262"],
  scope: anyScope,
  needs: ["forget", "holdout", "population", "shadow-models"],
  formula: "share of population samples z with (p(x|θ)/p(x)) / (p(z|θ)/p(z)) ≥ γ",
  range: "0 to 1 a sample; AUC in [0, 1], ½ is guessing",
  direction: "as retrained",
  cost: "1 to 4 reference models are enough for the offline attack",
  guarantee:
    "A true positive rate above the false positive rate is a lower bound on what leaks about single samples.",
  doesNotShow:
    "That a stronger attack would fail too; with a population unlike the data its scores are miscalibrated.",
  config,
  compute: rmia,
});
