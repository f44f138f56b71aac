import { LetheError } from "../kernel/errors.ts";
import { namesMatching } from "../kernel/name-patterns.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { layoutOfArchitecture, type OpenArchitecture } from "./architecture.ts";
import { layersOf } from "./derive-layers.ts";
import { withFrozen } from "./frozen.ts";

/** Which parameters are trained, by patterns of their names (`layer4.*`). */
export interface TrainableSelection {
  /** All when left out. */
  readonly train?: readonly string[];
  /** Out of those. */
  readonly freeze?: readonly string[];
}

/**
 * The same model of which only some parameters are weights: the others become constants at the values given, which optimizers,
 * federated rounds and histories never see, and which the written file holds under their own names. The running statistics of
 * a normalisation whose scale and shift are both frozen are frozen too: it goes on as it is used.
 *
 * @param values - of all weights; where the frozen ones stay
 * @throws LETHE_USAGE_PATTERN for a pattern that fits no parameter; LETHE_USAGE_TRAINABLE when none is left to train
 */
export function selectTrainable<Model extends OpenArchitecture>(
  architecture: Model,
  selection: TrainableSelection,
  values: ParameterSet,
): Model {
  const { slots } = layoutOfArchitecture(architecture);
  const names = slots.filter(({ role }) => role === "parameter").map(({ name }) => name);
  const what = `parameters of ${architecture.id}`;
  const trained = namesMatching(names, selection.train ?? ["*"], what);
  for (const name of namesMatching(names, selection.freeze ?? [], what)) trained.delete(name);
  if (trained.size === 0) {
    throw new LetheError(
      "usage",
      "USAGE_TRAINABLE",
      `Expected parameters to train in ${architecture.id}, got all frozen.`,
    );
  }
  const frozen = frozenNames(architecture, trained);
  return frozen.size === 0 ? architecture : withFrozen(architecture, frozen, values);
}

/** What is frozen when `trained` is all that is trained: the other parameters, and the statistics that go with them. */
export function frozenNames(
  architecture: OpenArchitecture,
  trained: ReadonlySet<string>,
): ReadonlySet<string> {
  const parameters = architecture.weights.filter(({ role }) => role === "parameter").map(({ name }) => name);
  return new Set([
    ...parameters.filter((name) => !trained.has(name)),
    ...frozenStatistics(architecture, trained),
  ]);
}

/** Statistics of the normalisations of which nothing is trained. */
function frozenStatistics(architecture: OpenArchitecture, trained: ReadonlySet<string>): string[] {
  return layersOf(architecture).flatMap((layer) =>
    layer.kind !== "norm" || trained.has(layer.scale.name) || trained.has(layer.shift.name)
      ? []
      : [layer.runningMean, layer.runningVariance].flatMap((slot) => slot?.name ?? []),
  );
}
