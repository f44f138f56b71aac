import { LetheError } from "../../kernel/errors.ts";

/** Mean and scatter of rows seen so far: what a covariance needs, mergeable in any order. */
export interface Moments {
  /** Rows. */
  readonly count: number;
  /** [size] */
  readonly mean: Float64Array;
  /** Σ (r − mean)(r − mean)ᵀ, [size, size]. */
  readonly scatter: Float64Array;
}

/** The moments of no rows. */
export function emptyMoments(size: number): Moments {
  return { count: 0, mean: new Float64Array(size), scatter: new Float64Array(size * size) };
}

/** The moments of rows [count, size], in two passes. Grows with count·size²: large ones belong in a graph. */
export function momentsOf(rows: ArrayLike<number>, size: number): Moments {
  const count = rows.length / size;
  const { mean, scatter } = emptyMoments(size);
  for (let i = 0; i < rows.length; i++) {
    mean[i % size] = (mean[i % size] as number) + (rows[i] as number) / count;
  }
  const centred = new Float64Array(size);
  for (let row = 0; row < count; row++) {
    for (let i = 0; i < size; i++) centred[i] = (rows[row * size + i] as number) - (mean[i] as number);
    addOuter(scatter, centred, 1);
  }
  return { count, mean, scatter };
}

/**
 * The moments of two sets of rows together: with d = meanB − meanA, mean = meanA + d·nB/n and
 * scatter = scatterA + scatterB + ddᵀ·nA·nB/n.
 *
 * Source: T. Chan, G. Golub, R. LeVeque (1979), "Updating formulae and a pairwise algorithm for computing sample variances".
 *
 * @throws LETHE_DATA_SHAPE when the sizes differ
 */
export function mergeMoments(a: Moments, b: Moments): Moments {
  if (a.mean.length !== b.mean.length) {
    throw new LetheError(
      "data",
      "DATA_SHAPE",
      `Expected moments of rows of ${a.mean.length} numbers, got ${b.mean.length}.`,
    );
  }
  const count = a.count + b.count;
  if (a.count === 0 || b.count === 0) return a.count === 0 ? b : a;
  const difference = a.mean.map((value, i) => (b.mean[i] as number) - value);
  const scatter = a.scatter.map((value, i) => value + (b.scatter[i] as number));
  addOuter(scatter, difference, (a.count * b.count) / count);
  return {
    count,
    mean: a.mean.map((value, i) => value + ((difference[i] as number) * b.count) / count),
    scatter,
  };
}

/**
 * The covariance, scatter/(count − 1).
 *
 * @returns [size, size]
 * @throws LETHE_DATA_EMPTY for fewer than two rows
 */
export function covariance({ count, scatter }: Moments): Float64Array {
  if (count < 2) {
    throw new LetheError("data", "DATA_EMPTY", `Expected two rows or more for a covariance, got ${count}.`);
  }
  return scatter.map((value) => value / (count - 1));
}

/** Σ rrᵀ without centring, [size, size]: scatter + count·mean·meanᵀ. */
export function secondMoment({ count, mean, scatter }: Moments): Float64Array {
  const out = scatter.slice();
  addOuter(out, mean, count);
  return out;
}

function addOuter(matrix: Float64Array, vector: Float64Array, factor: number): void {
  const size = vector.length;
  for (let i = 0; i < size; i++) {
    const scaled = factor * (vector[i] as number);
    for (let j = 0; j < size; j++) {
      matrix[i * size + j] = (matrix[i * size + j] as number) + scaled * (vector[j] as number);
    }
  }
}
