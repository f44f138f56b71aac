import { Matrix, SingularValueDecomposition } from "ml-matrix";
import { LetheError } from "../../kernel/errors.ts";

/** A = U·diag(values)·Vᵀ with k = min(rows, columns). */
export interface SingularValues {
  /** Singular values in descending order, [k]. */
  readonly values: Float64Array;
  /** U, [rows, k], row-major: column j belongs to `values[j]`. */
  readonly left: Float64Array;
  /** V, [columns, k], row-major. */
  readonly right: Float64Array;
}

/** Entries below this share of the largest are zero in every result; their products underflow, which leads the rotations astray. */
const INVISIBLE = 2 ** -106;

/**
 * The thin singular value decomposition of a dense matrix, in double precision. For tall matrices whose left vectors are not wanted
 * the eigenvectors of AᵀA (`symmetricEigen`) are cheaper, and lose half of the digits of small values.
 *
 * @param matrix - [rows, columns], row-major
 * @throws LETHE_NUMERIC_NOT_FINITE for entries that are not finite
 */
export function singularValues(rows: number, columns: number, matrix: ArrayLike<number>): SingularValues {
  const source = Array.from(matrix);
  if (!source.every(Number.isFinite)) {
    throw new LetheError(
      "numeric",
      "NUMERIC_NOT_FINITE",
      `Expected finite entries in a ${rows}×${columns} matrix to decompose, got NaN or an infinity.`,
    );
  }
  const largest = source.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const visible = source.map((value) => (Math.abs(value) < INVISIBLE * largest ? 0 : value));
  const decomposition = new SingularValueDecomposition(Matrix.from1DArray(rows, columns, visible), {
    autoTranspose: true,
  });
  const count = Math.min(rows, columns);
  const leading = (matrixOf: Matrix): Float64Array =>
    Float64Array.from(matrixOf.subMatrix(0, matrixOf.rows - 1, 0, count - 1).to1DArray());
  return {
    values: Float64Array.from(decomposition.diagonal.slice(0, count)),
    left: leading(decomposition.leftSingularVectors),
    right: leading(decomposition.rightSingularVectors),
  };
}
