import { symmetricEigen } from "../../runtime/linear-algebra/symmetric-eigen.ts";
import { leadingColumns, rankForShare } from "../../runtime/linear-algebra/truncation.ts";
import { type Moments, secondMoment } from "./moments.ts";

/** An orthonormal basis of the rows that matter. */
export interface InputSubspace {
  /** U, [size, rank], row-major. */
  readonly basis: Float32Array;
  readonly rank: number;
  /** Singular values of the stacked rows, all of them, in descending order. */
  readonly singularValues: Float64Array;
}

/**
 * The leading directions of rows of which only the moments are left: the least number of right singular vectors that hold a share of
 * the spectrum.
 *
 * @param share - in [0, 1]
 * @param power - 2 counts squared singular values (energy, as gradient projection memory does), 1 the values themselves
 * @throws LETHE_NUMERIC_NOT_FINITE, LETHE_USAGE_FRACTION
 * Cost: a dense eigendecomposition, which grows as size³: 0.06 s for 272.
 * Source: G. Saha, I. Garg, K. Roy, arXiv 2103.09762, equation 5.
 */
export function inputSubspace(moments: Moments, share: number, power: 1 | 2 = 2): InputSubspace {
  const size = moments.mean.length;
  const { values, vectors } = symmetricEigen(size, secondMoment(moments));
  // Rounding leaves tiny negative eigenvalues in a semidefinite spectrum.
  const singularValues = values.map((value) => Math.sqrt(Math.max(value, 0)));
  const rank = rankForShare(singularValues, share, power);
  return { basis: leadingColumns(vectors, size, size, rank), rank, singularValues };
}
