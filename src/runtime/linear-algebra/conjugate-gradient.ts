import { LetheError, throwIfCancelled } from "../../kernel/errors.ts";
import { addScaled, damped, dot, type LinearOperator, norm } from "./linear-operator.ts";

/** When to stop, and what to add to the operator. */
export interface ConjugateGradientOptions {
  /** λ of (A + λI)x = b; 0 when left out. */
  readonly damping?: number;
  /** Stop at ‖b − (A + λI)x‖ ≤ tolerance·‖b‖. */
  readonly tolerance: number;
  readonly maxIterations: number;
  /** Where to begin; zero when left out. */
  readonly start?: Float64Array;
  readonly signal?: AbortSignal;
}

/** A solution, how good it is and why the search ended. */
export interface ConjugateGradientResult {
  readonly solution: Float64Array;
  /** ‖residual‖ / ‖b‖ before the first iteration and after each. */
  readonly residuals: readonly number[];
  /** `negative-curvature`: a direction d with dᵀ(A + λI)d ≤ 0 was met and not taken; more damping is needed. */
  readonly reason: "converged" | "max-iterations" | "negative-curvature";
}

/**
 * Solves (A + λI)x = b for a symmetric positive definite A + λI by conjugate gradients.
 *
 * The residual is the recursively updated one; in double precision and with operators of single precision it parts from the
 * true one near 1e-6 of ‖b‖, so smaller tolerances mean little there.
 *
 * @throws LETHE_NUMERIC_NOT_FINITE when the operator gives NaN or an infinity; LETHE_CANCELLED
 * Cost: one product with A an iteration, and one more with a start.
 * Source: M. Hestenes, E. Stiefel (1952); stopping at negative curvature after Steihaug (1983).
 */
export async function conjugateGradient(
  operator: LinearOperator,
  right: Float64Array,
  options: ConjugateGradientOptions,
): Promise<ConjugateGradientResult> {
  const system = damped(operator, options.damping ?? 0);
  const scale = norm(right);
  const solution = options.start?.slice() ?? new Float64Array(right.length);
  if (scale === 0) return { solution: new Float64Array(right.length), residuals: [0], reason: "converged" };
  const residual = right.slice();
  if (options.start !== undefined) addScaled(residual, await system.apply(solution), -1);
  const direction = residual.slice();
  let squared = dot(residual, residual);
  const residuals = [Math.sqrt(squared) / scale];

  for (let iteration = 0; iteration < options.maxIterations; iteration++) {
    if ((residuals.at(-1) as number) <= options.tolerance)
      return { solution, residuals, reason: "converged" };
    throwIfCancelled(options.signal);
    const image = await system.apply(direction);
    const curvature = dot(direction, image);
    if (!Number.isFinite(curvature)) throw notFinite(iteration);
    if (curvature <= 0) return { solution, residuals, reason: "negative-curvature" };
    const length = squared / curvature;
    addScaled(solution, direction, length);
    addScaled(residual, image, -length);
    const next = dot(residual, residual);
    const factor = next / squared;
    for (let i = 0; i < direction.length; i++) {
      direction[i] = (residual[i] as number) + factor * (direction[i] as number);
    }
    squared = next;
    residuals.push(Math.sqrt(squared) / scale);
  }
  const isDone = (residuals.at(-1) as number) <= options.tolerance;
  return { solution, residuals, reason: isDone ? "converged" : "max-iterations" };
}

function notFinite(iteration: number): LetheError {
  return new LetheError(
    "numeric",
    "NUMERIC_NOT_FINITE",
    `Expected finite products with the operator, got NaN or an infinity in iteration ${iteration + 1} of conjugate gradients.`,
    { details: { iteration: iteration + 1 } },
  );
}
