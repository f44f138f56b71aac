import { LetheError } from "../kernel/errors.ts";
import { studentQuantile } from "../metrics/statistics/student-t.ts";
import { mean, variance } from "../metrics/statistics/summary.ts";

/**
 * How values of retrained models are spread. `linear`: alike on both sides. `log`: distances from 0 on, whose upper tail is the longer.
 * `log-complement`: likenesses up to 1, whose lower tail is.
 */
export type Scale = "linear" | "log" | "log-complement";

/** Where values of models that never saw the data lie. */
export interface ReferenceBand {
  /** In the unit of the values: the middle, and the ends within which a model passes. */
  readonly centre: number;
  readonly low: number;
  readonly high: number;
  /** Mean and standard deviation between retrained models on the scale. */
  readonly mean: number;
  readonly std: number;
  /** Half of the prediction interval on the scale. */
  readonly halfWidth: number;
  readonly options: BandOptions;
}

/** How wide a band is made. */
export interface BandOptions {
  /** Chance that one more retrained model falls outside, in (0, 1). */
  readonly level: number;
  /** In the unit of the values: differences that do not matter. */
  readonly resolution: number;
  readonly scale: Scale;
}

/** Distances below this are none: it keeps logarithms finite. */
const LEAST_DISTANCE = 1e-6;

const scales: Readonly<Record<Scale, { to(value: number): number; from(value: number): number }>> = {
  linear: { to: (value) => value, from: (value) => value },
  log: { to: (value) => Math.log(Math.max(LEAST_DISTANCE, value)), from: Math.exp },
  "log-complement": {
    to: (value) => -Math.log(Math.max(LEAST_DISTANCE, 1 - value)),
    from: (value) => 1 - Math.exp(-value),
  },
};

/**
 * The prediction interval of one further retrained model, mean ± t_{1−level/2, K−1} · s · √(1 + 1/K) on the scale, for K values with standard
 * deviation s, and at least ± resolution: two-sided, and wide when there are few of them, so that too few references cannot make a
 * model look bad or good.
 *
 * @param values - of K retrained models, at least two
 * @throws LETHE_DATA_TOO_FEW
 * @see G. J. Hahn, W. Q. Meeker 1991, Statistical intervals (normal prediction interval)
 */
export function referenceBand(values: readonly number[], options: BandOptions): ReferenceBand {
  if (values.length < 2) {
    throw new LetheError(
      "data",
      "DATA_TOO_FEW",
      `Expected at least 2 retrained models for a band, got ${values.length}.`,
    );
  }
  const { to, from } = scales[options.scale];
  const scaled = values.map(to);
  const [centre, std] = [mean(scaled), Math.sqrt(variance(scaled))];
  const halfWidth = halfWidthOf(std, values.length, options.level);
  return {
    centre: from(centre),
    low: Math.min(from(centre - halfWidth), from(centre) - options.resolution),
    high: Math.max(from(centre + halfWidth), from(centre) + options.resolution),
    mean: centre,
    std,
    halfWidth,
    options,
  };
}

/** True for a value that no retrained model would have; a value that is no number is outside too. */
export function isOutside(value: number, { low, high }: Pick<ReferenceBand, "low" | "high">): boolean {
  return !(value >= low && value <= high);
}

/**
 * True for a value at least `factor` bands away from the middle.
 *
 * @param factor - above 1
 */
export function isClearlyOutside(value: number, band: ReferenceBand, factor: number): boolean {
  const { centre, mean: middle, halfWidth, options } = band;
  const gap = Math.abs(scales[options.scale].to(value) - middle);
  return gap >= factor * halfWidth && Math.abs(value - centre) >= factor * options.resolution;
}

/** More references than anybody trains for one audit. */
const MOST_REFERENCES = 256;

/**
 * How many retrained models it would take for a value to stand clearly outside, if their spread stays what it is.
 *
 * @param factor - as in {@link isClearlyOutside}
 * @returns `undefined` when no number would do: the spread itself hides it
 */
export function referencesNeeded(value: number, band: ReferenceBand, factor: number): number | undefined {
  for (let count = 4; count <= MOST_REFERENCES; count++) {
    const halfWidth = halfWidthOf(band.std, count, band.options.level);
    if (isClearlyOutside(value, { ...band, halfWidth }, factor)) return count;
  }
  return undefined;
}

function halfWidthOf(std: number, count: number, level: number): number {
  return studentQuantile(1 - level / 2, count - 1) * std * Math.sqrt(1 + 1 / count);
}
