import type { Samples } from "../../data/dataset.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import type { Look, Reached } from "../iterative.ts";

/** The share of samples a model gets right. */
export type AccuracyOn = (model: ParameterSet, samples: Samples) => Promise<number>;

/**
 * A look after every epoch that ends a loop when the forget samples are no longer known better than held-out ones, with the nearer of
 * the last two models: beyond that, errors on them would give them away. For single samples, whose classes are kept.
 *
 * @param start - the trained model
 */
export function accuracyGapRule(
  accuracyOn: AccuracyOn,
  { forget, validation }: { readonly forget: Samples; readonly validation: Samples },
  start: ParameterSet,
): (reached: Reached) => Promise<Look> {
  const measured = async (model: ParameterSet) => {
    const utility = await accuracyOn(model, validation);
    return { gap: utility - (await accuracyOn(model, forget)), utility };
  };
  return async ({ state, epoch, carried }) => {
    const scalars = await measured(state.weights);
    const { gap } = scalars;
    if (gap <= 0) return { carried: state.weights, scalars };
    const before = carried.size > 0 ? carried : start;
    const isNearer = Math.abs(gap) <= Math.abs((await measured(before)).gap);
    const reason = `The forget samples are known no better than held-out ones (gap ${(100 * gap).toFixed(1)} points).`;
    const weights = isNearer ? state.weights : before;
    return { stop: { by: "rule", epoch: isNearer ? epoch : epoch - 1, reason }, weights, scalars };
  };
}
