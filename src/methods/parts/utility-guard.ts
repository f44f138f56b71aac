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
  /** Falls before this epoch are passed over: later epochs of the method restore what it takes. 1 when left out. */
  readonly from?: number;
}

/**
 * A look after every epoch for methods that push away from the forget samples without a bound: when the accuracy on held-out
 * samples of the kept classes falls below `leastUtility` times the trained model's, the loop ends with the stop `ruin` and
 * the last model above it.
 */
export function utilityGuard(guard: UtilityGuard): (reached: Reached) => Promise<Look> {
  const { workbench, architecture, validation, leastUtility, from = 1 } = guard;
  const watched = validation === undefined ? undefined : withoutClasses(validation, guard.forgetClasses);
  const utilityOf = (weights: ParameterSet, samples: Samples) =>
    accuracyOf(workbench, weights, samples, architecture.classes);
  let floor: number | undefined;
  return async ({ state, epoch, carried }) => {
    if (watched === undefined || watched.count === 0) return {};
    floor ??= leastUtility * (await utilityOf(guard.weights, watched));
    const utility = await utilityOf(state.weights, watched);
    if (utility >= floor)
      return { carried: new Map([...state.weights, lastGood(epoch)]), scalars: { utility } };
    if (epoch < from) return { scalars: { utility } };
    const good = carried.get(LAST_GOOD)?.[0] ?? 0;
    const reason =
      `The accuracy on held-out samples fell to ${percent(utility)}, below ${percent(floor)}; ` +
      `the model of epoch ${good} is kept. Lower the learning rate or the number of epochs.`;
    const last = good > 0 ? withoutMark(carried) : guard.weights;
    return { stop: { by: "ruin", epoch: good, reason }, weights: last, scalars: { utility } };
  };
}

/** Beside the carried weights: the epoch they are of. */
const LAST_GOOD = "|last-good";

function lastGood(epoch: number): readonly [string, Float32Array] {
  return [LAST_GOOD, Float32Array.of(epoch)];
}

function withoutMark(carried: ParameterSet): ParameterSet {
  return new Map([...carried].filter(([name]) => name !== LAST_GOOD));
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
