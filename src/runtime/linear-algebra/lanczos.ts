import { LetheError, throwIfCancelled } from "../../kernel/errors.ts";
import type { Key } from "../../kernel/key.ts";
import { addScaled, dot, type LinearOperator, norm } from "./linear-operator.ts";
import { normalVector } from "./random-vectors.ts";
import { symmetricEigen } from "./symmetric-eigen.ts";

/** How many eigenpairs, and how far to go for them. */
export interface LanczosOptions {
  /** Eigenpairs wanted, from the largest eigenvalue down. */
  readonly count: number;
  /** Most products with the operator: a few times `count`; at most the size. */
  readonly maxIterations: number;
  /** Stop when every wanted pair has ‖Av − λv‖ ≤ tolerance·max|λ|. */
  readonly tolerance: number;
  /** Draws the first vector. */
  readonly key: Key;
  readonly signal?: AbortSignal;
}

/** Leading eigenpairs, in descending order. */
export interface LanczosResult {
  /** [count], fewer when the operator's image is smaller. */
  readonly values: Float64Array;
  /** A unit vector for every value. */
  readonly vectors: readonly Float64Array[];
  /** ‖Av − λv‖ of every pair. */
  readonly residuals: readonly number[];
  readonly iterations: number;
}

/**
 * The largest eigenvalues of a symmetric operator and their eigenvectors, by Lanczos' method with full reorthogonalisation.
 *
 * The most negative ones come from the operator −A. Every vector is kept: memory is iterations × size.
 *
 * @throws LETHE_NUMERIC_NOT_FINITE when the operator gives NaN or an infinity; LETHE_USAGE_LANCZOS; LETHE_CANCELLED
 * Source: B. Parlett, "The symmetric eigenvalue problem" (1980), chapter 13.
 */
export async function lanczos(operator: LinearOperator, options: LanczosOptions): Promise<LanczosResult> {
  const { count, tolerance, key } = options;
  const limit = Math.min(options.maxIterations, operator.size);
  if (!(count >= 1) || count > limit) {
    throw new LetheError(
      "usage",
      "USAGE_LANCZOS",
      `Expected 1 ≤ \`count\` ≤ ${limit} (iterations and size), got ${count}.`,
    );
  }
  const basis: Float64Array[] = [];
  const diagonal: number[] = [];
  const beside: number[] = [];
  let next = normalVector(key, operator.size);
  scaleTo(next, 1 / norm(next));
  for (;;) {
    throwIfCancelled(options.signal);
    basis.push(next);
    const image = await operator.apply(next);
    const alpha = dot(next, image);
    if (!Number.isFinite(alpha)) throw notFinite(basis.length);
    diagonal.push(alpha);
    // Twice is enough: it takes out what rounding left of the earlier vectors.
    for (const earlier of [...basis, ...basis]) addScaled(image, earlier, -dot(earlier, image));
    const beta = norm(image);
    const ritz = ritzPairs(diagonal, beside);
    const size = Math.max(...ritz.values.map(Math.abs));
    const isExhausted = beta <= Number.EPSILON * size * operator.size;
    const bounds = residualBounds(ritz, isExhausted ? 0 : beta, Math.min(count, basis.length));
    const isDone = basis.length >= count && bounds.every((bound) => bound <= tolerance * size);
    if (isDone || isExhausted || basis.length === limit) {
      const wanted = bounds.map((_, index) => index);
      return {
        values: ritz.values.slice(0, bounds.length),
        vectors: wanted.map((index) => combined(basis, ritz, index)),
        residuals: bounds,
        iterations: basis.length,
      };
    }
    beside.push(beta);
    next = image;
    scaleTo(next, 1 / beta);
  }
}

/** Eigenpairs of the tridiagonal matrix, in descending order. */
function ritzPairs(diagonal: readonly number[], beside: readonly number[]) {
  const size = diagonal.length;
  const matrix = new Float64Array(size * size);
  diagonal.forEach((value, i) => {
    matrix[i * size + i] = value;
  });
  beside.forEach((value, i) => {
    matrix[i * size + i + 1] = value;
    matrix[(i + 1) * size + i] = value;
  });
  return { size, ...symmetricEigen(size, matrix) };
}

/** ‖Av − λv‖ = β·|last component of the eigenvector|. */
function residualBounds(ritz: ReturnType<typeof ritzPairs>, beta: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) =>
    Math.abs(beta * (ritz.vectors[(ritz.size - 1) * ritz.size + index] as number)),
  );
}

function combined(
  basis: readonly Float64Array[],
  ritz: ReturnType<typeof ritzPairs>,
  index: number,
): Float64Array {
  const vector = new Float64Array((basis[0] as Float64Array).length);
  basis.forEach((part, row) => {
    addScaled(vector, part, ritz.vectors[row * ritz.size + index] as number);
  });
  return vector;
}

function scaleTo(vector: Float64Array, factor: number): void {
  for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] as number) * factor;
}

function notFinite(iteration: number): LetheError {
  return new LetheError(
    "numeric",
    "NUMERIC_NOT_FINITE",
    `Expected finite products with the operator, got NaN or an infinity in iteration ${iteration} of Lanczos' method.`,
  );
}
