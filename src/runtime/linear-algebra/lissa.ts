import { LetheError, throwIfCancelled } from "../../kernel/errors.ts";
import { addScaled, norm } from "./linear-operator.ts";

/** How the series is summed. */
export interface LissaOptions {
  /** λ of (A + λI)x = b; ≥ 0. */
  readonly damping: number;
  /** σ, larger than the largest eigenvalue of every Aⱼ + λI: the series converges for σ > λmax/2, without swinging for σ ≥ λmax. */
  readonly scale: number;
  /** Terms of the series. */
  readonly iterations: number;
  /** After j terms ‖h‖ may reach this many times ‖b‖·(j + 1), which no converging series passes; 10 when left out. */
  readonly divergenceFactor?: number;
  readonly signal?: AbortSignal;
}

/** The estimate and how much it still moved. */
export interface LissaResult {
  readonly solution: Float64Array;
  /** ‖xⱼ − xⱼ₋₁‖ / ‖xⱼ‖ of every iteration. */
  readonly changes: readonly number[];
}

/** Slack for rounding and for single draws beyond the bound of a converging series. */
const DIVERGENCE_FACTOR = 10;

/**
 * (A + λI)⁻¹b as a truncated Neumann series with a fresh, stochastic A each time: h₀ = b, hⱼ = b + (I − (Aⱼ + λI)/σ)hⱼ₋₁,
 * x = h/σ.
 *
 * @param apply - Aⱼ·v for the j-th draw (a minibatch), j from 0
 * @param right - b
 * @throws LETHE_NUMERIC_DIVERGED when h leaves the bound ‖b‖·(j + 1) of a converging series by the divergence factor or is no
 *   longer finite: raise `scale`; LETHE_CANCELLED
 * Cost: one product an iteration.
 * Source: N. Agarwal, B. Bullins, E. Hazan, arXiv 1602.03943 (LiSSA); scale and damping as in P. W. Koh, P. Liang, arXiv 1703.04730.
 */
export async function lissa(
  apply: (vector: Float64Array, draw: number) => Promise<Float64Array>,
  right: Float64Array,
  options: LissaOptions,
): Promise<LissaResult> {
  const { damping, scale, iterations, divergenceFactor = DIVERGENCE_FACTOR } = options;
  if (!(scale > 0) || !(damping >= 0)) {
    throw new LetheError(
      "usage",
      "USAGE_LISSA",
      `Expected \`scale\` > 0 and \`damping\` ≥ 0 in LiSSA, got ${scale} and ${damping}.`,
    );
  }
  const size = norm(right);
  const sum = right.slice();
  const changes: number[] = [];
  for (let draw = 0; draw < iterations; draw++) {
    throwIfCancelled(options.signal);
    const next = right.slice();
    addScaled(next, sum, 1 - damping / scale);
    addScaled(next, await apply(sum, draw), -1 / scale);
    addScaled(sum, next, -1);
    const change = norm(sum);
    sum.set(next);
    const reached = norm(sum);
    if (!Number.isFinite(reached) || reached > divergenceFactor * size * (draw + 2)) {
      throw new LetheError(
        "numeric",
        "NUMERIC_DIVERGED",
        `Expected LiSSA to converge, but the sum grew to ${reached} in iteration ${draw + 1} of ${iterations}. ` +
          `Raise \`scale\` (${scale}) above the largest eigenvalue, or raise \`damping\` (${damping}).`,
        { details: { iteration: draw + 1, scale, damping } },
      );
    }
    changes.push(reached === 0 ? 0 : change / reached);
  }
  return { solution: sum.map((value) => value / scale), changes };
}
