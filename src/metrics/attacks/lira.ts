import { z } from "zod";
import { anyScope, defineMetric } from "../contract.ts";
import { expectAtLeast, expectFinite, expectSameLength, parseMetricSettings } from "../metric-input.ts";
import { mean, variance } from "../statistics/summary.ts";
import { pooledVariance, type ShadowMargins, VARIANCE_FLOOR } from "./shadow-margins.ts";

/** From this many shadow models a side on, the variance of each sample is worth more than the pooled one (Carlini et al., § VI-C). */
const SHADOWS_FOR_OWN_VARIANCE = 32;

const config = z.strictObject({
  /** `online` uses models with and without the sample, `offline` only those without. */
  mode: z.enum(["online", "offline"]).default("online"),
  /** One variance for all samples, one each, or by the number of shadow models. */
  variance: z.enum(["pooled", "per-sample", "by-count"]).default("by-count"),
});

/**
 * The likelihood ratio attack: how much better the target's margin of each sample fits models that saw the sample.
 *
 * online: log N(m; μ_in, σ_in²) − log N(m; μ_out, σ_out²) · offline: z = (m − μ_out)/σ_out, whose normal distribution function
 * is the paper's score; it orders samples the same way and does not round to 1.
 *
 * @param target - margins of the model under test [samples]; see `margins`
 * @param shadows - at least two margins a sample on the sides used (one each with pooled variance)
 * @returns scores [samples], larger means member; judge them with `attackOutcome`
 * @throws LETHE_DATA_SHAPE, LETHE_DATA_TOO_FEW, LETHE_NUMERIC_NOT_FINITE, LETHE_USAGE_CONFIG
 * @see N. Carlini et al. 2022, arXiv 2112.03570 (algorithm 1, § VI). Departures: means where the authors' code takes medians; the
 * pooled variance is within samples, where theirs includes the spread between samples; a floor under the variance.
 */
export function lira(
  target: Float64Array,
  shadows: ShadowMargins,
  settings?: z.input<typeof config>,
): Float64Array {
  const metric = "lira";
  const { mode, variance: choice } = parseMetricSettings(metric, config, settings);
  const { inside, outside } = shadows;
  expectSameLength(metric, { target, inside, outside });
  expectFinite(metric, "target margins", target);
  const out = gaussians(metric, "models trained without it", outside, choice);
  const scaled = (margin: number, { centre, spread }: Gaussian): number => (margin - centre) ** 2 / spread;
  if (mode === "offline") {
    return target.map((margin, sample) => {
      const { centre, spread } = out[sample] as Gaussian;
      return (margin - centre) / Math.sqrt(spread);
    });
  }
  const within = gaussians(metric, "models trained with it", inside, choice);
  return target.map((margin, sample) => {
    const [a, b] = [within[sample] as Gaussian, out[sample] as Gaussian];
    return (scaled(margin, b) - scaled(margin, a) + Math.log(b.spread / a.spread)) / 2;
  });
}

interface Gaussian {
  readonly centre: number;
  /** The variance. */
  readonly spread: number;
}

function gaussians(
  metric: string,
  what: string,
  groups: readonly Float64Array[],
  choice: "pooled" | "per-sample" | "by-count",
): readonly Gaussian[] {
  const fewest = Math.min(...groups.map(({ length }) => length));
  const isPooled = choice === "pooled" || (choice === "by-count" && fewest < SHADOWS_FOR_OWN_VARIANCE);
  expectAtLeast(metric, `margins a sample of ${what}`, fewest, isPooled ? 1 : 2);
  for (const group of groups) expectFinite(metric, "shadow margins", group);
  const common = isPooled ? pooledVariance(metric, groups) : 0;
  return groups.map((group) => ({
    centre: mean(group),
    spread: isPooled ? common : Math.max(VARIANCE_FLOOR, variance(group)),
  }));
}

/** The likelihood ratio attack. */
export const liraMetric = defineMetric({
  id: "lira",
  title: "Likelihood ratio membership attack (LiRA)",
  references: ["N. Carlini et al. 2022, arXiv 2112.03570"],
  scope: anyScope,
  needs: ["forget", "holdout", "shadow-models"],
  formula:
    "log N(m; μ_in, σ_in²) − log N(m; μ_out, σ_out²), m = ln(p_y/(1 − p_y)); reported as AUC and TPR at 1 % and 0.1 % FPR",
  range: "any real score a sample; AUC in [0, 1], ½ is guessing",
  direction: "as retrained",
  cost: "16 to 256 trainings of shadow models on random halves of the data",
  guarantee:
    "A true positive rate above the false positive rate is a lower bound on what leaks about single samples.",
  doesNotShow:
    "That a stronger attack would fail too. The shadows are trained, not unlearned: traces that only unlearning leaves are the business of U-LiRA.",
  config,
  compute: lira,
});
