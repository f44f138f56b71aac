import type { ModelLayout } from "../../kernel/layout.ts";
import type { ServerStep } from "./training-facts.ts";

/**
 * What is left at round t of everything the leavers did to the model: the error e_t = w_t − w*_t to first order, in any
 * linear coordinates.
 */
export interface ErrorRecursion {
  /** e_t; e_0 = 0. */
  readonly error: Float64Array;
  /**
   * Goes one round on: u ← βu − (1 − γ)∘e + d, e ← e + l·u; with plain averaging e ← γ∘e + d. So γ multiplies what was
   * there before this round, and the last deviation is never decayed.
   *
   * @param deviation - d_t; `undefined` for a round without the leavers, which decays all the same
   */
  advance(deviation: Float32Array | undefined): void;
}

/**
 * Starts the recursion at e_0 = 0.
 *
 * @param error - where e_t is kept; all zero
 * @param decay - γ, one for all elements or one for each
 * @param server - β and l
 */
export function errorRecursion(
  error: Float64Array,
  decay: number | Float64Array,
  server: ServerStep,
): ErrorRecursion {
  const { length } = error;
  const velocity = server.momentum === 0 ? undefined : new Float64Array(length);
  const { momentum, rate } = server;
  return {
    error,
    advance(deviation) {
      for (let i = 0; i < length; i++) {
        const lost = 1 - (typeof decay === "number" ? decay : (decay[i] as number));
        const before = error[i] as number;
        let change = -lost * before + (deviation === undefined ? 0 : (deviation[i] as number));
        if (velocity !== undefined) {
          change += momentum * (velocity[i] as number);
          velocity[i] = change;
        }
        error[i] = before + rate * change;
      }
    },
  };
}

/**
 * The recursion of a whole model with one γ for all: parameters follow the server's step, buffers plain averaging.
 *
 * @param decay - 1 + α; 1 for the plain subtraction
 */
export function modelRecursion(layout: ModelLayout, decay: number, server: ServerStep): ErrorRecursion {
  const { length, parameterLength } = layout;
  const error = new Float64Array(length);
  const parameters = errorRecursion(error.subarray(0, parameterLength), decay, server);
  const buffers = errorRecursion(error.subarray(parameterLength), decay, PLAIN_AVERAGING);
  return {
    error,
    advance(deviation) {
      parameters.advance(deviation?.subarray(0, parameterLength));
      buffers.advance(deviation?.subarray(parameterLength));
    },
  };
}

/** Plain averaging: β = 0, l = 1. What buffers get whatever the server does to parameters. */
export const PLAIN_AVERAGING: ServerStep = { momentum: 0, rate: 1 };
