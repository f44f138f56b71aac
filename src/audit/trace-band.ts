import { studentQuantile } from "../metrics/statistics/student-t.ts";
import { mean, variance } from "../metrics/statistics/summary.ts";

/** Where the trace of a model has to lie to pass: 0 is retrained, 1 trained with the samples. */
export interface TraceBand {
  readonly centre: number;
  readonly low: number;
  readonly high: number;
  /** How far from its kind's mean one more model is, at most, at the level. */
  readonly halfWidth: number;
  /** Whether models trained with and without are told apart at the half-way mark. */
  readonly canTell: boolean;
}

/** Half-way between the two kinds of models. */
const HALF_WAY = 0.5;

/**
 * A model passes below half of a trace, and above minus half of one. Whether that mark means anything is a matter of the spread of either
 * kind: t_{1−level/2, ν} · s · √(1 + 1/K) has to be at most one half, s the larger of the spread between retrained models and that
 * pooled over both kinds, ν the freedom of both. A model of either kind is then on the wrong side at most `level`/2 of the time. With a
 * wider spread the band is as wide as it has to be for retrained models to pass, and tells nothing.
 *
 * @param without - traces of K retrained models, each against the others, their mean 0
 * @param within - traces of models trained with the samples, each against the others, their mean 1
 * @param level - chance that a retrained model lies outside, in (0, 1)
 */
export function traceBand(without: readonly number[], within: readonly number[], level: number): TraceBand {
  const halfWidth = halfWidthOf(spreadOf(without, within), without.length, within.length, level);
  const reach = Math.max(HALF_WAY, halfWidth);
  const centre = mean(without);
  return { centre, low: centre - reach, high: centre + reach, halfWidth, canTell: halfWidth <= HALF_WAY };
}

/** More references than anybody trains for one audit. */
const MOST_REFERENCES = 256;

/** Retrained models, and as many trained with the samples, with which the half-way mark would tell, if they spread as these do. */
export function traceReferencesNeeded(
  without: readonly number[],
  within: readonly number[],
  level: number,
): number | undefined {
  const spread = spreadOf(without, within);
  for (let count = 4; count <= MOST_REFERENCES; count++) {
    if (halfWidthOf(spread, count, count, level) <= HALF_WAY) return count;
  }
  return undefined;
}

function spreadOf(without: readonly number[], within: readonly number[]): number {
  const [a, b] = [variance(without), variance(within)];
  const pooled = ((without.length - 1) * a + (within.length - 1) * b) / (without.length + within.length - 2);
  return Math.sqrt(Math.max(a, pooled));
}

function halfWidthOf(spread: number, without: number, within: number, level: number): number {
  return studentQuantile(1 - level / 2, without + within - 2) * spread * Math.sqrt(1 + 1 / without);
}
