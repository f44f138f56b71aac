import { LetheError } from "../../kernel/errors.ts";

/**
 * R⁻¹, upper triangular, for the Cholesky factor of a symmetric positive definite matrix A = RᵀR.
 *
 * @param size - n
 * @param matrix - [n, n], row-major
 * @returns [n, n], row-major; (R⁻¹)ᵀ A R⁻¹ = I
 * @throws LETHE_NUMERIC_RANK when A is not positive definite in double precision
 */
export function inverseCholesky(size: number, matrix: Float64Array): Float64Array {
  const lower = choleskyFactor(size, matrix);
  // Row i of L⁻¹ from the rows before it: L⁻¹_i = (e_i − Σ_k<i L_ik L⁻¹_k) / L_ii.
  const inverse = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    const row = i * size;
    inverse[row + i] = 1;
    for (let k = 0; k < i; k++) {
      const factor = lower[row + k] as number;
      for (let j = 0; j <= k; j++) {
        inverse[row + j] = (inverse[row + j] as number) - factor * (inverse[k * size + j] as number);
      }
    }
    const pivot = lower[row + i] as number;
    for (let j = 0; j <= i; j++) inverse[row + j] = (inverse[row + j] as number) / pivot;
  }
  return transposed(size, inverse);
}

/** L with A = LLᵀ, row by row so that inner loops run along rows. */
function choleskyFactor(size: number, matrix: Float64Array): Float64Array {
  const lower = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = matrix[i * size + j] as number;
      for (let k = 0; k < j; k++) rest -= (lower[i * size + k] as number) * (lower[j * size + k] as number);
      if (i !== j) {
        lower[i * size + j] = rest / (lower[j * size + j] as number);
      } else if (rest > 0) {
        lower[i * size + i] = Math.sqrt(rest);
      } else {
        throw notDefinite(size, i);
      }
    }
  }
  return lower;
}

function transposed(size: number, matrix: Float64Array): Float64Array {
  const out = new Float64Array(matrix.length);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) out[j * size + i] = matrix[i * size + j] as number;
  }
  return out;
}

function notDefinite(size: number, pivot: number): LetheError {
  return new LetheError(
    "numeric",
    "NUMERIC_RANK",
    `Expected a positive definite ${size}×${size} matrix, got none at pivot ${pivot}: columns are linearly dependent.`,
  );
}
