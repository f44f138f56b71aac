import { z } from "zod";
import { LetheError } from "../../kernel/errors.ts";
import { expectFinite, expectSameLength, parseMetricSettings } from "../metric-input.ts";

/** How the classifier is fitted; the defaults are those the sparse-unlearning papers give scikit-learn. */
export const supportVectorConfig = z.strictObject({
  /** Price C of a sample inside the margin. */
  penalty: z.number().gt(0).default(3),
  /** Kernel width γ; left out: 1 / features, scikit-learn's `auto`. */
  gamma: z.number().gt(0).optional(),
  /** The solver stops when the two most violating samples violate by less: libsvm's tolerance. */
  tolerance: z.number().gt(0).default(1e-3),
});

/** A fitted classifier. */
export interface SupportVectorClassifier {
  /** Signed score of each row; a row is called positive where it is above 0. @returns [rows] */
  decide(features: Float64Array): Float64Array;
  readonly supportVectors: number;
}

/** Curvature given to a pair of samples at the same place (libsvm's τ): the step stays finite and the bounds clip it. */
const LEAST_CURVATURE = 1e-12;
/** Rows of the kernel kept, in numbers: 50 million single-precision ones are scikit-learn's default 200 MB. */
const CACHED_NUMBERS = 50_000_000;

/**
 * Fits a support vector classifier with the Gaussian kernel k(a, b) = exp(−γ‖a − b‖²):
 * min_α ½ Σ_ij α_i α_j y_i y_j k(x_i, x_j) − Σ_i α_i, 0 ≤ α_i ≤ C, Σ_i α_i y_i = 0, by sequential minimal optimisation with
 * second-order choice of the pair.
 *
 * @param features - [rows, width], finite
 * @param positive - [rows], true for the class whose decisions are above 0; both classes must occur
 * @returns decisions that agree with libsvm's to its tolerance
 * @throws LETHE_DATA_SHAPE, LETHE_NUMERIC_NOT_FINITE, LETHE_DATA_ONE_CLASS, LETHE_USAGE_CONFIG
 * @see R.-E. Fan, P.-H. Chen, C.-J. Lin 2005, Working set selection using second order information (WSS 2);
 * C.-C. Chang, C.-J. Lin 2011, LIBSVM. Time between O(rows²) and O(rows³). Departure from libsvm: no shrinking, which
 * changes the path, not the optimum. As there, kernel values are stored in single precision.
 */
export function fitSupportVectors(
  features: Float64Array,
  positive: readonly boolean[],
  settings?: z.input<typeof supportVectorConfig>,
): SupportVectorClassifier {
  const metric = "support-vectors";
  const { penalty, gamma, tolerance } = parseMetricSettings(metric, supportVectorConfig, settings);
  const rows = positive.length;
  const width = features.length / Math.max(1, rows);
  if (!Number.isInteger(width) || width < 1) {
    expectSameLength(metric, { features: { length: features.length }, rows: positive });
  }
  expectFinite(metric, "features", features);
  const positives = positive.filter(Boolean).length;
  if (positives === 0 || positives === rows) {
    throw new LetheError(
      "data",
      "DATA_ONE_CLASS",
      `Expected samples of both classes to tell apart, got ${positives} positive of ${rows}.`,
    );
  }
  // libsvm's order, one class after the other: among equally good pairs the last one is taken.
  const order = Uint32Array.from([
    ...rowIndices(positive).filter((row) => !positive[row]),
    ...rowIndices(positive).filter((row) => positive[row]),
  ]);
  const points = new Float64Array(rows * width);
  order.forEach((row, index) => {
    points.set(features.subarray(row * width, (row + 1) * width), index * width);
  });
  // libsvm's first class is the positive one; with labels 0 and 1 that is 0, so signs are turned at the end.
  const signs = Float64Array.from(order, (row) => (positive[row] ? -1 : 1));
  const kernel = gaussianKernel(points, width, gamma ?? 1 / width);
  const { alphas, offset } = solve(signs, kernel.row, penalty, tolerance);

  const support = rowIndices(alphas).filter((row) => (alphas[row] as number) > 0);
  const decide = (queries: Float64Array): Float64Array => {
    expectFinite(metric, "features", queries);
    return Float64Array.from({ length: queries.length / width }, (_, query) => {
      let sum = -offset;
      for (const row of support) {
        sum += (alphas[row] as number) * (signs[row] as number) * kernel.between(row, queries, query);
      }
      return -sum;
    });
  };
  return { decide, supportVectors: support.length };
}

function rowIndices(rows: ArrayLike<unknown>): readonly number[] {
  return Array.from(rows, (_, index) => index);
}

function gaussianKernel(points: Float64Array, width: number, gamma: number) {
  const count = points.length / width;
  const between = (row: number, others: Float64Array, other: number): number => {
    let distance = 0;
    for (let k = 0; k < width; k++) {
      distance += ((points[row * width + k] as number) - (others[other * width + k] as number)) ** 2;
    }
    return Math.exp(-gamma * distance);
  };
  const cache = new Map<number, Float32Array>();
  const capacity = Math.max(2, Math.floor(CACHED_NUMBERS / count));
  const row = (index: number): Float32Array => {
    const known = cache.get(index);
    if (known !== undefined) {
      cache.delete(index);
      cache.set(index, known);
      return known;
    }
    const values = new Float32Array(count);
    for (let other = 0; other < count; other++) values[other] = between(index, points, other);
    const oldest = cache.keys().next();
    if (cache.size >= capacity && !oldest.done) cache.delete(oldest.value);
    cache.set(index, values);
    return values;
  };
  return { row, between };
}

function solve(
  signs: Float64Array,
  kernelRow: (index: number) => Float32Array,
  penalty: number,
  tolerance: number,
): { readonly alphas: Float64Array; readonly offset: number } {
  const count = signs.length;
  const alphas = new Float64Array(count);
  const gradient = new Float64Array(count).fill(-1);
  const isRaisable = (index: number): boolean =>
    signs[index] === 1 ? (alphas[index] as number) < penalty : (alphas[index] as number) > 0;
  const isLowerable = (index: number): boolean =>
    signs[index] === 1 ? (alphas[index] as number) > 0 : (alphas[index] as number) < penalty;

  for (;;) {
    let first = -1;
    let largest = Number.NEGATIVE_INFINITY;
    for (let index = 0; index < count; index++) {
      const violation = -(signs[index] as number) * (gradient[index] as number);
      if (violation >= largest && isRaisable(index)) {
        largest = violation;
        first = index;
      }
    }
    if (first < 0) break;
    const firstRow = kernelRow(first);
    let second = -1;
    let smallest = Number.POSITIVE_INFINITY;
    let bestGain = Number.POSITIVE_INFINITY;
    for (let index = 0; index < count; index++) {
      if (!isLowerable(index)) continue;
      const violation = -(signs[index] as number) * (gradient[index] as number);
      smallest = Math.min(smallest, violation);
      const difference = largest - violation;
      if (difference <= 0) continue;
      const curvature = 2 - 2 * (firstRow[index] as number);
      const gain = -(difference ** 2) / (curvature > 0 ? curvature : LEAST_CURVATURE);
      if (gain <= bestGain) {
        bestGain = gain;
        second = index;
      }
    }
    if (second < 0 || largest - smallest < tolerance) break;

    // Along α_first += y_first·t, α_second −= y_second·t the constraint holds; t is the Newton step, clipped to the box.
    const [signFirst, signSecond] = [signs[first] as number, signs[second] as number];
    const [oldFirst, oldSecond] = [alphas[first] as number, alphas[second] as number];
    const raw = 2 - 2 * (firstRow[second] as number);
    const step =
      (-signFirst * (gradient[first] as number) + signSecond * (gradient[second] as number)) /
      (raw > 0 ? raw : LEAST_CURVATURE);
    const room = Math.min(
      signFirst === 1 ? penalty - oldFirst : oldFirst,
      signSecond === 1 ? oldSecond : penalty - oldSecond,
    );
    const taken = Math.min(step, room);
    alphas[first] = snap(oldFirst + signFirst * taken, penalty);
    alphas[second] = snap(oldSecond - signSecond * taken, penalty);
    const secondRow = kernelRow(second);
    for (let index = 0; index < count; index++) {
      const change = (firstRow[index] as number) - (secondRow[index] as number);
      (gradient[index] as number) += (signs[index] as number) * taken * change;
    }
  }
  return { alphas, offset: offsetOf(alphas, gradient, signs, penalty) };
}

/** A value within rounding of a bound is on it: a sample that can hardly move must not be chosen for ever. */
function snap(alpha: number, penalty: number): number {
  const rounding = penalty * 1e-14;
  if (alpha <= rounding) return 0;
  return alpha >= penalty - rounding ? penalty : alpha;
}

/** The mean of y·gradient over the samples on the margin; where there are none, the middle of what the others allow. */
function offsetOf(
  alphas: Float64Array,
  gradient: Float64Array,
  signs: Float64Array,
  penalty: number,
): number {
  let [low, high, sum, free] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 0, 0];
  for (let index = 0; index < alphas.length; index++) {
    const value = (signs[index] as number) * (gradient[index] as number);
    const alpha = alphas[index] as number;
    if (alpha > 0 && alpha < penalty) {
      sum += value;
      free++;
    } else if ((alpha === 0) === (signs[index] === 1)) high = Math.min(high, value);
    else low = Math.max(low, value);
  }
  return free > 0 ? sum / free : (low + high) / 2;
}
