import type { ParameterSet } from "../kernel/parameters.ts";
import { AVERAGE } from "./objective-graph.ts";
import type { TrainerState } from "./take-step.ts";

/**
 * The exponential moving average of the weights behind every step so far: Σₛ d^(t−s)·wₛ / Σₛ d^(t−s). The state starts at zero
 * and is divided by 1 − dᵗ, so that the starting weights have no part in it. Tensors that are not trained (running
 * statistics) are the state's own.
 *
 * @param decay - d in (0, 1), as the step was compiled with
 * @returns the state's weights before the first step
 * Source: Polyak & Juditsky (1992) with exponential weights; the division as in Kingma & Ba, arXiv 1412.6980, section 7.2.
 */
export function averagedWeights(state: TrainerState, decay: number): ParameterSet {
  if (state.step === 0) return state.weights;
  const total = 1 - decay ** state.step;
  return new Map(
    [...state.weights].map(([name, own]) => {
      const sum = state.optimizer.get(`${AVERAGE}:${name}`);
      return [name, sum === undefined ? own : sum.map((value) => value / total)];
    }),
  );
}
