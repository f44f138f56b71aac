import { z } from "zod";
import { deriveKey, type Key, randomStream } from "../../kernel/key.ts";
import { expectAtLeast, expectFinite, parseMetricSettings } from "../metric-input.ts";
import { normalCdf, normalQuantile } from "./normal.ts";
import { quantileOfSorted, sorted } from "./summary.ts";

const config = z.strictObject({
  /** Draws; the ends of a 95 % interval scatter by about a tenth of its width with 1,000. */
  resamples: z.int().min(100).default(2000),
  confidence: z.number().gt(0.5).lt(1).default(0.95),
  /** `bca` corrects bias and skew, `percentile` reads the quantiles as they are. */
  method: z.enum(["percentile", "bca"]).default("bca"),
});

/** An interval and the value it is about. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * A bootstrap interval over seeds and samples: with several groups, groups are drawn with replacement and then samples
 * within each; with one, samples only. Leaving out the spread between seeds is what makes single-run tables look certain.
 *
 * @param groups - per seed its samples; at least two samples in all. A sample is whatever belongs together: a number, a pair of
 * figures of two models on one sample, a score with its membership
 * @param statistic - of such groups, e.g. the mean over everything, finite; must not depend on the order
 * @param key - decides the draws
 * @returns the statistic and the two ends
 * @throws LETHE_DATA_TOO_FEW, LETHE_NUMERIC_NOT_FINITE, LETHE_USAGE_CONFIG
 * @see B. Efron 1987, Better bootstrap confidence intervals. The acceleration comes from leaving out one group each, or one sample
 * each where there is one group: that many evaluations of `statistic` more.
 */
export function bootstrapInterval<Sample>(
  groups: readonly (readonly Sample[])[],
  statistic: (groups: readonly (readonly Sample[])[]) => number,
  key: Key,
  settings?: z.input<typeof config>,
): Interval {
  const { resamples, confidence, method } = parseMetricSettings("bootstrap", config, settings);
  expectAtLeast("bootstrap", "groups", groups.length, 1);
  expectAtLeast(
    "bootstrap",
    "samples in the smallest group",
    Math.min(...groups.map(({ length }) => length)),
    1,
  );
  const samples = groups.reduce((sum, { length }) => sum + length, 0);
  expectAtLeast("bootstrap", "samples", samples, 2);
  const value = statistic(groups);
  expectFinite("bootstrap", "statistic", [value]);

  const stream = randomStream(deriveKey(key, "bootstrap"));
  const drawn = <Item>(items: readonly Item[]): Item =>
    items[items.length === 1 ? 0 : stream.below(items.length)] as Item;
  const draws = Array.from({ length: resamples }, () =>
    statistic(
      groups.map(() => {
        const group = drawn(groups);
        return group.map(() => drawn(group));
      }),
    ),
  );
  expectFinite("bootstrap", "statistics of the draws", draws);
  const ascending = sorted(draws);
  const tail = (1 - confidence) / 2;
  const at =
    method === "bca" ? bcaShares(ascending, value, jackknife(groups, statistic), tail) : [tail, 1 - tail];
  return {
    value,
    low: quantileOfSorted(ascending, at[0] as number),
    high: quantileOfSorted(ascending, at[1] as number),
  };
}

/** The statistic with each group left out in turn, or each sample of the only group. */
function jackknife<Sample>(
  groups: readonly (readonly Sample[])[],
  statistic: (groups: readonly (readonly Sample[])[]) => number,
): readonly number[] {
  const without = <Item>(items: readonly Item[], left: number): readonly Item[] =>
    items.filter((_, index) => index !== left);
  const [only] = groups;
  if (groups.length > 1 || only === undefined)
    return groups.map((_, left) => statistic(without(groups, left)));
  return only.map((_, left) => statistic([without(only, left)]));
}

function bcaShares(
  draws: Float64Array,
  value: number,
  leftOut: readonly number[],
  tail: number,
): readonly [number, number] {
  // Draws equal to the value count half, as for any discrete law.
  const below = draws.reduce((sum, draw) => sum + (draw < value ? 1 : draw === value ? 1 / 2 : 0), 0);
  const share = below / draws.length;
  // A value outside all draws has no finite correction: the percentile interval is what is left.
  if (share === 0 || share === 1) return [tail, 1 - tail];
  const bias = normalQuantile(share);
  const centre = leftOut.reduce((sum, entry) => sum + entry, 0) / leftOut.length;
  const cubes = leftOut.reduce((sum, entry) => sum + (centre - entry) ** 3, 0);
  const squares = leftOut.reduce((sum, entry) => sum + (centre - entry) ** 2, 0);
  const acceleration = squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
  const corrected = (probability: number): number => {
    const z = bias + normalQuantile(probability);
    return normalCdf(bias + z / (1 - acceleration * z));
  };
  return [corrected(tail), corrected(1 - tail)];
}
