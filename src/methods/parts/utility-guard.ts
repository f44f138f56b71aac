import type { Samples } from "../../data/dataset.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import type { MethodRequest } from "../contract.ts";
import type { Look, Reached } from "../iterative.ts";
import type { Workbench } from "../workbench.ts";
import { accuracyOf, withoutClasses } from "./class-accuracy.ts";

/** What a guard watches. */
export interface UtilityGuard extends Pick<MethodRequest, "architecture" | "weights" | "forgetClasses"> {
  readonly workbench: Workbench;
  /** Held-out samples; without any the guard sees nothing and lets everything pass. */
  readonly validation: Samples | undefined;
  /** The least share of the trained model's accuracy that is to be left, in (0, 1]. */
  readonly leastUtility: number;
}

/**
 * A look after every epoch for methods that push away from the forget samples without a bound: when the accuracy on held-out
 * samples of the kept classes falls below `leastUtility` times the trained model's, the loop ends with the stop `ruin` and
 * the last model above it.
 */
export function utilityGuard(guard: UtilityGuard): (reached: Reached) => Promise<Look> {
  const { workbench, architecture, validation, leastUtility } = guard;
  const watched = validation === undefined ? undefined : withoutClasses(validation, guard.forgetClasses);
  const utilityOf = (weights: ParameterSet, samples: Samples) =>
    accuracyOf(workbench, weights, samples, architecture.classes);
  let floor: number | undefined;
  return async ({ state, epoch, carried }) => {
    if (watched === undefined || watched.count === 0) return {};
    floor ??= leastUtility * (await utilityOf(guard.weights, watched));
    const utility = await utilityOf(state.weights, watched);
    if (utility >= floor) return { carried: state.weights, scalars: { utility } };
    const reason =
      `The accuracy on held-out samples fell to ${percent(utility)}, below ${percent(floor)}; ` +
      `the model of epoch ${epoch - 1} is kept. Lower the learning rate or the number of epochs.`;
    const last = carried.size > 0 ? carried : guard.weights;
    return { stop: { by: "ruin", epoch: epoch - 1, reason }, weights: last, scalars: { utility } };
  };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
