import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { LetheError } from "../../kernel/errors.ts";

/** Eigenvalues in descending order and their unit eigenvectors. */
export interface Eigen {
  /** [n] */
  readonly values: Float64Array;
  /** [n, n], row-major: column j belongs to `values[j]`. */
  readonly vectors: Float64Array;
}

/**
 * All eigenvalues and eigenvectors of a symmetric matrix, A = V diag(values) Vᵀ, in double precision. 0.06 s for n = 272;
 * grows as n³.
 *
 * @param size - n
 * @param matrix - [n, n]
 * @throws LETHE_NUMERIC_NOT_FINITE for entries that are not finite
 */
export function symmetricEigen(size: number, matrix: ArrayLike<number>): Eigen {
  const source = Array.from(matrix);
  if (!source.every(Number.isFinite)) {
    throw new LetheError(
      "numeric",
      "NUMERIC_NOT_FINITE",
      `Expected finite entries in a ${size}×${size} matrix to decompose, got NaN or an infinity.`,
    );
  }
  const decomposition = new EigenvalueDecomposition(Matrix.from1DArray(size, size, source), {
    assumeSymmetric: true,
  });
  const ascending = decomposition.realEigenvalues;
  const order = ascending
    .map((_, i) => i)
    .sort((a, b) => (ascending[b] as number) - (ascending[a] as number));
  const vectors = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (const [j, from] of order.entries()) {
      vectors[i * size + j] = decomposition.eigenvectorMatrix.get(i, from);
    }
  }
  return { values: Float64Array.from(order, (i) => ascending[i] as number), vectors };
}
