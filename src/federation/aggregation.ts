import { LetheError } from "../kernel/errors.ts";
import { firstNonFinite } from "../kernel/parameters.ts";

/** A client's update and its share before normalisation. */
export interface WeightedUpdate {
  readonly update: Float32Array;
  readonly weight: number;
}

/**
 * Why an update cannot be accepted, or `undefined` when it can.
 *
 * @param length - values an update must have
 */
export function refusalOf(update: Float32Array, length: number): string | undefined {
  if (update.length !== length) return `Expected ${length} values, got ${update.length}.`;
  const at = firstNonFinite(update);
  if (at >= 0) return `Expected finite values, got ${update[at]} at position ${at}.`;
  return undefined;
}

/**
 * Federated averaging: h̄ = Σᵤ pᵤhᵤ / Σᵤ pᵤ, summed in double precision in the given order.
 *
 * @param updates - at least one, all of one length
 * @returns [length]
 * @throws LETHE_NUMERIC_NO_UPDATES when there is none
 * Source: McMahan et al., arXiv 1602.05629, algorithm 1.
 */
export function weightedMean(updates: readonly WeightedUpdate[]): Float32Array {
  const [first] = updates;
  if (first === undefined) {
    throw new LetheError(
      "numeric",
      "NUMERIC_NO_UPDATES",
      "Expected at least one usable update in a round, got none.",
    );
  }
  const total = updates.reduce((sum, { weight }) => sum + weight, 0);
  const sum = new Float64Array(first.update.length);
  for (const { update, weight } of updates) {
    const share = weight / total;
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + share * (update[i] as number);
  }
  return Float32Array.from(sum);
}

/** The server's side of federated averaging: velocity u ← βu + h̄, weights w ← w + l·u. */
export interface ServerStep {
  /** β in [0, 1); 0 is plain averaging. */
  readonly momentum: number;
  /** l > 0; 1 is plain averaging. */
  readonly rate: number;
}

/** Server weights and velocity between two rounds. */
export interface ServerState {
  readonly weights: Float32Array;
  readonly velocity: Float32Array;
}

/** Applies a round's mean update; buffers (beyond `parameterLength`) are averaged without momentum or rate. */
export function applyMean(
  state: ServerState,
  mean: Float32Array,
  step: ServerStep,
  parameterLength: number,
): ServerState {
  const velocity = new Float32Array(mean.length);
  const weights = new Float32Array(mean.length);
  for (let i = 0; i < mean.length; i++) {
    const isTrained = i < parameterLength;
    velocity[i] = (isTrained ? step.momentum * (state.velocity[i] as number) : 0) + (mean[i] as number);
    weights[i] = (state.weights[i] as number) + (isTrained ? step.rate : 1) * (velocity[i] as number);
  }
  return { weights, velocity };
}
