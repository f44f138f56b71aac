import type { Key } from "../../kernel/key.ts";
import { randomStream } from "../../kernel/key.ts";
import type { Matrix, MatrixEngine } from "./matrix-engine.ts";
import { symmetricEigen } from "./symmetric-eigen.ts";
import { leadingColumns } from "./truncation.ts";

/** Columns carried beyond those asked for, so that the last ones wanted settle too (Halko et al. advise 5 to 10). */
const OVERSAMPLING = 16;
/** Products with the matrix after the first one; each raises the ratio of eigenvalues to one more power. */
const ITERATIONS = 2;
/** Added to every eigenvalue, as a share of the trace: keeps the iterated block of full rank in float32. */
const SHIFT_FRACTION = 1e-6;

/** An orthonormal basis of leading eigenvectors. */
export interface Eigenbasis {
  /** U, [n, k]: column j belongs to `values[j]`. */
  readonly vectors: Matrix;
  /** [k], in descending order. */
  readonly values: Float64Array;
}

/**
 * The leading eigenvectors of a symmetric matrix whose negative eigenvalues, if any, are no smaller than `−slack`.
 *
 * By a dense solver when nearly all are wanted; otherwise by randomised subspace iteration on A + slack·I followed by a
 * Rayleigh–Ritz step. What matters to callers is that the span holds most of the trace and that the basis is
 * orthonormal; eigenvectors near the cut are approximate.
 *
 * @param matrix - A, [n, n]
 * @param rank - k, at most this many columns
 * @param slack - ≥ 0
 * @param key - draws the starting block
 * Source: N. Halko, P.-G. Martinsson, J. A. Tropp, "Finding structure with randomness", arXiv 0909.4061 (2011), algorithm 4.4.
 */
export async function dominantBasis(
  engine: MatrixEngine,
  matrix: Matrix,
  options: { readonly rank: number; readonly slack: number; readonly key: Key },
): Promise<Eigenbasis> {
  const size = matrix.rows;
  const { rank, slack, key } = options;
  // A block as wide as the matrix, or nearly so, starts near to singular: float32 then loses its rank.
  if (size <= rank + 2 * OVERSAMPLING) {
    const { values, vectors } = symmetricEigen(size, matrix.data);
    const count = Math.min(rank, size);
    return { vectors: basisOf(size, vectors, count), values: values.slice(0, count) };
  }
  const shift = slack + SHIFT_FRACTION * Math.max(0, traceOf(matrix));
  let block = normalBlock(size, rank + OVERSAMPLING, key);
  for (let step = 0; step <= ITERATIONS; step++) {
    const image = await engine.multiply(matrix, block);
    for (let i = 0; i < image.data.length; i++) {
      image.data[i] = (image.data[i] as number) + shift * (block.data[i] as number);
    }
    block = await engine.orthonormalize(image);
  }
  const reduced = await engine.multiply(block, await engine.multiply(matrix, block), { transposeLeft: true });
  const { values, vectors } = symmetricEigen(reduced.rows, reduced.data);
  const rotation = basisOf(reduced.rows, vectors, rank);
  return { vectors: await engine.multiply(block, rotation), values: values.slice(0, rank) };
}

function traceOf({ rows, data }: Matrix): number {
  let trace = 0;
  for (let i = 0; i < rows; i++) trace += data[i * rows + i] as number;
  return trace;
}

function normalBlock(rows: number, columns: number, key: Key): Matrix {
  const stream = randomStream(key);
  return { rows, columns, data: Float32Array.from({ length: rows * columns }, () => stream.normal()) };
}

function basisOf(size: number, vectors: Float64Array, count: number): Matrix {
  return { rows: size, columns: count, data: leadingColumns(vectors, size, size, count) };
}
