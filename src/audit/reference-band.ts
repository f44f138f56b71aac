import { LetheError } from "../kernel/errors.ts";
import { invertIncreasing } from "../metrics/statistics/invert-increasing.ts";
import { studentCdf } from "../metrics/statistics/student-t.ts";
import { mean, variance } from "../metrics/statistics/summary.ts";

/** Where values of models that never saw the data lie. */
export interface ReferenceBand {
  readonly mean: number;
  /** Between retrained models. */
  readonly std: number;
  /** A value farther from the mean than this is not that of a retrained model. */
  readonly halfWidth: number;
}

/** How wide a band is made. */
export interface BandOptions {
  /** Chance that one more retrained model falls outside, in (0, 1). */
  readonly level: number;
  /** The least half-width: differences that do not matter. */
  readonly resolution: number;
}

/**
 * The prediction interval of one further retrained model, h = max(resolution, t_{1−level/2, K−1} · s · √(1 + 1/K)), for K values with standard
 * deviation s: two-sided, and wide when there are few of them, so that too few references cannot make a model look bad or good.
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
  const std = Math.sqrt(variance(values));
  return { mean: mean(values), std, halfWidth: halfWidth(std, values.length, options) };
}

/** True for a value that no retrained model would have; a value that is no number is outside too. */
export function isOutside(value: number, band: ReferenceBand): boolean {
  return !(Math.abs(value - band.mean) <= band.halfWidth);
}

/** More references than anybody trains for one audit. */
const MOST_REFERENCES = 256;

/**
 * How many retrained models it would take for `share` of a gap to stand out, if their spread stays what it is.
 *
 * @param gap - between the original and the retrained models' mean, from 0 on
 * @param share - of the gap the half-width may have
 * @returns `undefined` when no number would do: the spread itself hides the gap
 */
export function referencesNeeded(
  { std }: ReferenceBand,
  gap: number,
  share: number,
  options: BandOptions,
): number | undefined {
  for (let count = 4; count <= MOST_REFERENCES; count++) {
    if (halfWidth(std, count, options) <= share * gap) return count;
  }
  return undefined;
}

function halfWidth(std: number, count: number, { level, resolution }: BandOptions): number {
  return Math.max(resolution, studentQuantile(1 - level / 2, count - 1) * std * Math.sqrt(1 + 1 / count));
}

/** Beyond this the distribution with one degree of freedom has less than 10⁻⁹ left. */
const FAR = 1e9;

/** t with P(T ≤ t) = probability, for probabilities from ½ on. */
function studentQuantile(probability: number, freedom: number): number {
  return invertIncreasing((t) => studentCdf(t, freedom), probability, 0, FAR);
}
