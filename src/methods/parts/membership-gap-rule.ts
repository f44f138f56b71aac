import type { Samples } from "../../data/dataset.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import { lossMembership } from "../../metrics/membership.ts";
import { sampleLosses } from "../../metrics/predictions.ts";
import type { Look, Reached } from "../iterative.ts";
import type { Workbench } from "../workbench.ts";

/** An AUC of the loss test at which members and others cannot be told apart. */
const CANNOT_TELL = 0.5;

/**
 * A look after every epoch that ends a loop when losses no longer tell the forget samples from held-out ones of the same classes: the
 * loss test's AUC is ½ or less. With the nearer to ½ of the last two models, since an AUC far below gives the samples away too. For
 * single samples, whose classes are kept.
 *
 * @param start - the trained model
 */
export function membershipGapRule(
  workbench: Pick<Workbench, "logitsOf">,
  { forget, validation }: { readonly forget: Samples; readonly validation: Samples },
  start: { readonly weights: ParameterSet; readonly classes: number },
): (reached: Reached) => Promise<Look> {
  const { classes } = start;
  const lossesOf = async (model: ParameterSet, samples: Samples): Promise<Float64Array> =>
    sampleLosses(await workbench.logitsOf(model, samples), samples.labels, classes);
  const aucOf = async (model: ParameterSet): Promise<number> => {
    const [members, others] = [await lossesOf(model, forget), await lossesOf(model, validation)];
    return lossMembership(members, forget.labels, others, validation.labels).auc;
  };
  return async ({ state, epoch, carried }) => {
    const auc = await aucOf(state.weights);
    const scalars = { auc };
    if (!(auc <= CANNOT_TELL)) return { carried: state.weights, scalars };
    const before = carried.size > 0 ? carried : start.weights;
    const isNearer = CANNOT_TELL - auc <= Math.abs((await aucOf(before)) - CANNOT_TELL);
    const reason = `Losses do not tell the forget samples from held-out ones (AUC ${auc.toFixed(3)}).`;
    const weights = isNearer ? state.weights : before;
    return { stop: { by: "rule", epoch: isNearer ? epoch : epoch - 1, reason }, weights, scalars };
  };
}
