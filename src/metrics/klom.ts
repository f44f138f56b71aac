import { z } from "zod";
import { anyScope, defineMetric } from "./contract.ts";
import type { MarginTable } from "./margins.ts";
import { expectAtLeast, expectFinite, expectSameLength, parseMetricSettings } from "./metric-input.ts";
import { mean, quantile } from "./statistics/summary.ts";

const config = z.strictObject({
  /** Bins of equal width over the pooled range. 10 suit 50 models a side, 20 a hundred. */
  bins: z.int().min(2).default(20),
  /** Margins are clipped to ± this many nats. */
  clip: z.number().gt(0).default(100),
  /** Least share an oracle's bin counts for where the unlearned models have any. */
  leastShare: z.number().gt(0).lt(1).default(1e-5),
  /** `dropped`: the largest margin falls out of the last bin, as in the published benchmark; only to compare with it. */
  lastEdge: z.enum(["closed", "dropped"]).default("closed"),
});

/**
 * KLoM of every sample: the divergence of its margin's distribution over unlearned models from that over retrained models.
 *
 * KLoM(x) = Σ_b p_b ln(p_b / q_b), p and q the histograms of m(x) = ln(p_y/(1 − p_y)) over the models of each side on common bins,
 * q_b ≥ leastShare where p_b > 0, then both normalised.
 *
 * @param unlearned - [models][samples], several runs of unlearning from several originals
 * @param oracles - [models][samples], retrained without the forget set
 * @returns [samples] in nats: 0 for equal histograms, about 11.5 for disjoint ones (−ln leastShare)
 * @throws LETHE_DATA_SHAPE, LETHE_DATA_TOO_FEW, LETHE_NUMERIC_NOT_FINITE, LETHE_USAGE_CONFIG
 * @see K. Georgiev et al. 2024, arXiv 2410.23232. Departure: the last bin is closed.
 */
export function klom(
  unlearned: MarginTable,
  oracles: MarginTable,
  settings?: z.input<typeof config>,
): Float64Array {
  const metric = "klom";
  const { bins, clip, leastShare, lastEdge } = parseMetricSettings(metric, config, settings);
  for (const [name, table] of [
    ["unlearned models", unlearned],
    ["retrained models", oracles],
  ] as const) {
    expectAtLeast(metric, name, table.length, 2);
    for (const line of table) {
      expectSameLength(metric, { "first model": unlearned[0] ?? [], "another model": line });
      expectFinite(metric, "margins", line);
    }
  }
  const clipped = (value: number): number => Math.max(-clip, Math.min(clip, value));
  return Float64Array.from(unlearned[0] ?? [], (_, sample) => {
    const p = Float64Array.from(unlearned, (line) => clipped(line[sample] as number));
    const q = Float64Array.from(oracles, (line) => clipped(line[sample] as number));
    const low = Math.min(...p, ...q);
    const high = Math.max(...p, ...q);
    // One value everywhere: any width will do.
    const width = (high > low ? high - low : 1) / bins;
    const binned = (values: Float64Array): Float64Array => {
      const counts = new Float64Array(bins);
      for (const value of values) {
        if (lastEdge === "dropped" && high > low && value === high) continue;
        const bin = binOf(value, low, width, bins);
        counts[bin] = (counts[bin] as number) + 1;
      }
      const total = counts.reduce((sum, count) => sum + count, 0);
      return total === 0 ? counts : counts.map((count) => count / total);
    };
    const shares = binned(p);
    const raised = binned(q).map((share, bin) =>
      (shares[bin] as number) > 0 ? Math.max(share, leastShare) : share,
    );
    const total = raised.reduce((sum, share) => sum + share, 0);
    return shares.reduce(
      (sum, share, bin) =>
        sum + (share > 0 ? share * Math.log((share * total) / (raised[bin] as number)) : 0),
      0,
    );
  });
}

/** KLoM summed up over a set of samples, beside the value that two groups of retrained models give. */
export interface KlomSummary {
  readonly mean: number;
  readonly p95: number;
  readonly p99: number;
  /** The mean of retrained against other retrained models: what this many models read where there is no difference. */
  readonly floor: number;
}

/**
 * Mean and upper quantiles of KLoM, with its floor. The histograms of few models differ by chance: for 100 a side and 20 bins the
 * floor is about 0.35, for 50 about 0.9, so a figure without it cannot be read.
 *
 * @param otherOracles - as many further retrained models, disjoint from `oracles`
 */
export function klomSummary(
  unlearned: MarginTable,
  oracles: MarginTable,
  otherOracles: MarginTable,
  settings?: z.input<typeof config>,
): KlomSummary {
  expectSameLength("klom", { unlearned, otherOracles });
  const values = klom(unlearned, oracles, settings);
  return {
    mean: mean(values),
    p95: quantile(values, 0.95),
    p99: quantile(values, 0.99),
    floor: mean(klom(otherOracles, oracles, settings)),
  };
}

/** The bin whose half-open interval holds the value, decided by the edges themselves: a division may round across one. */
function binOf(value: number, low: number, width: number, bins: number): number {
  const edge = (bin: number): number => low + bin * width;
  let bin = Math.min(bins - 1, Math.max(0, Math.floor((value - low) / width)));
  while (bin > 0 && value < edge(bin)) bin--;
  while (bin < bins - 1 && value >= edge(bin + 1)) bin++;
  return bin;
}

/** KLoM. */
export const klomMetric = defineMetric({
  id: "klom",
  title: "KLoM: divergence of margins from retrained models",
  references: ["K. Georgiev et al. 2024, arXiv 2410.23232"],
  scope: anyScope,
  needs: ["forget", "retain", "holdout", "several-unlearned", "several-retrained"],
  formula:
    "KLoM(x) = Σ_b p_b ln(p_b/q_b) over 20 bins of m(x), p unlearned, q retrained models; mean, 95 % and 99 % quantile of x",
  range: "0 to about 11.5 nats; the floor of retrained against retrained models is what nothing left reads",
  direction: "lower",
  cost: "100 unlearned and 200 retrained models (100 for the floor)",
  guarantee:
    "At the floor, the outputs of unlearned and retrained models are distributed alike sample by sample, as far as so many models can tell.",
  doesNotShow:
    "Anything about inputs that were not measured, about joint behaviour of several samples, or about the weights.",
  config,
  compute: klom,
});
