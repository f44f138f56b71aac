import { LetheError } from "../../kernel/errors.ts";

/**
 * How many leading values are needed to hold a share of their sum: the least k with Σᵢ≤ₖ vᵢᵖ ≥ fraction·Σ vᵢᵖ.
 *
 * @param values - in descending order; negative ones (rounding in a semidefinite spectrum) count as zero
 * @param fraction - in [0, 1]
 * @param power - p: 1 for eigenvalues (variances) or sums of singular values, 2 for the energy of singular values
 * @returns from 0 to values.length; values.length of nothing but zeros is 0
 * @throws LETHE_USAGE_FRACTION
 */
export function rankForShare(values: Float64Array, fraction: number, power: 1 | 2 = 1): number {
  if (!(fraction >= 0 && fraction <= 1)) {
    throw new LetheError("usage", "USAGE_FRACTION", `Expected a share in [0, 1], got ${fraction}.`);
  }
  const parts = values.map((value) => Math.max(value, 0) ** power);
  const total = parts.reduce((sum, part) => sum + part, 0);
  // Rounding of the running sum must not ask for a value more: 1e-12 is far below any share that means something.
  const wanted = fraction * total * (1 - 1e-12);
  let held = 0;
  let rank = 0;
  while (rank < parts.length && held < wanted) held += parts[rank++] as number;
  return rank;
}

/** The first `rank` columns of a matrix [rows, columns], row-major, in single precision. */
export function leadingColumns(
  matrix: Float64Array,
  rows: number,
  columns: number,
  rank: number,
): Float32Array {
  const out = new Float32Array(rows * rank);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < rank; j++) out[i * rank + j] = matrix[i * columns + j] as number;
  }
  return out;
}
