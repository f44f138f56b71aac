import type { Samples } from "../../data/dataset.ts";
import { LetheError } from "../../kernel/errors.ts";
import { keyFromSeed } from "../../kernel/key.ts";
import { firstNonFinite, type ParameterSet } from "../../kernel/parameters.ts";
import type { MethodRequest } from "../contract.ts";
import type { Look, Reached } from "../look.ts";
import type { Workbench } from "../workbench.ts";
import { accuracyOf, withoutClasses } from "./class-accuracy.ts";
import { drawnSamples } from "./drawn-samples.ts";

/** What a guard watches. */
export interface UtilityGuard extends Pick<MethodRequest, "architecture" | "weights" | "forgetClasses"> {
  readonly workbench: Pick<Workbench, "logitsOf">;
  /** Held-out samples of the kind that is kept. */
  readonly validation?: Samples | undefined;
  /** Watched in their place where there are none. */
  readonly retain?: Samples | undefined;
  /** The least share of the trained model's accuracy that is to be left, in (0, 1]. */
  readonly leastUtility: number;
  /** Falls before this epoch are passed over: later epochs of the method restore what it takes. 1 when left out. */
  readonly from?: number;
}

/** More than so many watched samples tell nothing new of a model that is in ruins. */
const MOST_WATCHED = 500;

/**
 * A look after every epoch for methods that may push a model over the edge: when the accuracy on samples of the kept classes falls below
 * `leastUtility` times the trained model's, the loop ends with the stop `ruin` and the last model above it. The samples are held out,
 * or, where there are none, such as are retained; without either the loop goes on unwatched and a notice says so.
 */
export function utilityGuard(guard: UtilityGuard): (reached: Reached) => Promise<Look> {
  const { workbench, architecture, leastUtility, from = 1 } = guard;
  const watched = watchedOf(guard);
  if (watched === undefined) return async ({ epoch }) => (epoch === 1 ? { notice: UNWATCHED } : {});
  const utilityOf = (weights: ParameterSet) => accuracyOf(workbench, weights, watched, architecture.classes);
  const isHeldOut = (guard.validation?.count ?? 0) > 0;
  let floor: number | undefined;
  return async ({ state, epoch, carried }) => {
    floor ??= leastUtility * (await trainedUtility(guard, watched));
    const utility = await utilityOf(state.weights);
    if (utility >= floor)
      return { carried: new Map([...state.weights, lastGood(epoch)]), scalars: { utility } };
    if (epoch < from) return { scalars: { utility } };
    const good = carried.get(LAST_GOOD)?.[0] ?? 0;
    const reason =
      `The accuracy on ${isHeldOut ? "held-out" : "retained"} samples fell to ${percent(utility)}, below ${percent(floor)}; ` +
      `the model of epoch ${good} is kept. Lower the learning rate or the number of epochs.`;
    const last = good > 0 ? withoutMark(carried) : guard.weights;
    return { stop: { by: "ruin", epoch: good, reason }, weights: last, scalars: { utility } };
  };
}

/** @throws LETHE_NUMERIC_NOT_FINITE for samples that no model could judge */
async function trainedUtility(
  { workbench, architecture, weights }: UtilityGuard,
  watched: Samples,
): Promise<number> {
  const finite: Pick<Workbench, "logitsOf"> = {
    logitsOf: async (of, samples) => {
      const logits = await workbench.logitsOf(of, samples);
      if (firstNonFinite(logits) < 0) return logits;
      throw new LetheError(
        "numeric",
        "NUMERIC_NOT_FINITE",
        "Expected finite class scores of the trained model, got others. Look for NaN in the data.",
      );
    },
  };
  return accuracyOf(finite, weights, watched, architecture.classes);
}

const UNWATCHED = {
  code: "UNWATCHED",
  message:
    "There are no held-out samples: should the model lose its accuracy, nothing notices. Train with a validation share.",
} as const;

/** The first so many of what can be watched. */
function watchedOf({ validation, retain, forgetClasses }: UtilityGuard): Samples | undefined {
  for (const samples of [validation, retain]) {
    const kept = samples === undefined ? undefined : withoutClasses(samples, forgetClasses);
    if (kept === undefined || kept.count === 0) continue;
    return kept.count <= MOST_WATCHED ? kept : drawnSamples(kept, MOST_WATCHED, keyFromSeed("watched"));
  }
  return undefined;
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
