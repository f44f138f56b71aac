import { anyScope, defineMetric } from "./contract.ts";
import type { MarginTable } from "./margins.ts";
import { expectAtLeast, expectFinite, expectSameLength } from "./metric-input.ts";
import { mean, quantile, variance } from "./statistics/summary.ts";

/** The few-model KLoM over a set of samples, beside what models without any difference read. */
export interface KlomNormal {
  /** Mean over samples, nats. */
  readonly mean: number;
  readonly p95: number;
  /** What the mean is expected to be where both sides are retrained models: (1/unlearned + 1/oracles) / 2. */
  readonly floor: number;
}

/** No variance below this counts, nats²: where all models agree, rounding would decide. */
const LEAST_VARIANCE = 1e-4;

/**
 * KLoM for a handful of models: margins of a sample over retrainings are taken as normal, with one variance for all samples.
 *
 *   KL(x) = (μ_U(x) − μ_R(x))² / (2σ²),   σ² = mean over samples of the unbiased variance of m(x) over the oracles
 *
 * The histograms of {@link klom} need about a hundred models a side; means and one pooled variance need a few.
 *
 * @param unlearned - [models][samples], one or more
 * @param oracles - [models][samples], at least two, retrained without the forget set
 * @throws LETHE_DATA_SHAPE, LETHE_DATA_TOO_FEW, LETHE_NUMERIC_NOT_FINITE
 * @see K. Georgiev et al. 2024, arXiv 2410.23232, for KLoM; N. Carlini et al. 2022, arXiv 2112.03570 (§ VI-C), for the pooling.
 */
export function klomNormal(unlearned: MarginTable, oracles: MarginTable): KlomNormal {
  const metric = "klom-normal";
  expectAtLeast(metric, "unlearned models", unlearned.length, 1);
  expectAtLeast(metric, "retrained models", oracles.length, 2);
  for (const line of [...unlearned, ...oracles]) {
    expectSameLength(metric, { "first model": unlearned[0] ?? [], "another model": line });
    expectFinite(metric, "margins", line);
  }
  const samples = (unlearned[0] as Float64Array).length;
  expectAtLeast(metric, "samples", samples, 1);
  const at = (table: MarginTable, sample: number): Float64Array =>
    Float64Array.from(table, (line) => line[sample] as number);
  const spread = mean(Float64Array.from({ length: samples }, (_, sample) => variance(at(oracles, sample))));
  const pooled = Math.max(spread, LEAST_VARIANCE);
  const values = Float64Array.from(
    { length: samples },
    (_, sample) => (mean(at(unlearned, sample)) - mean(at(oracles, sample))) ** 2 / (2 * pooled),
  );
  return {
    mean: mean(values),
    p95: quantile(values, 0.95),
    floor: (1 / unlearned.length + 1 / oracles.length) / 2,
  };
}

/** KLoM for a few models. */
export const klomNormalMetric = defineMetric({
  id: "klom-normal",
  title: "KLoM with few models: margins taken as normal",
  references: ["K. Georgiev et al. 2024, arXiv 2410.23232"],
  scope: anyScope,
  needs: ["forget", "retain", "holdout", "several-unlearned", "several-retrained"],
  formula:
    "(μ_U(x) − μ_R(x))² / (2σ²), σ² the variance of margins over retrained models, pooled over samples; mean and 95 % quantile of x",
  range: "0 upwards, nats; its floor is (1/models unlearned + 1/models retrained) / 2",
  direction: "lower",
  cost: "one or more unlearned and at least two retrained models; six of these give the variance to a few percent on hundreds of samples",
  guarantee: "Near its floor, margins are on average where those of retrained models are, sample by sample.",
  doesNotShow: "A changed spread or form of the margins' distribution, which `klom` with many models shows.",
  compute: klomNormal,
});
