import type { Scale } from "../reference-band.ts";
import type { ScoredModel } from "../scored-model.ts";

/**
 * What a measure is about. `removal`: traces of the forget samples in what the model says; `features`: traces in what goes into its last
 * layer; `utility`: the use and the privacy of what was kept; `reported`: shown because readers look for it, and not judged.
 */
export type MeasureGroup = "removal" | "features" | "utility" | "reported";

/**
 * One figure of an audit, two-sided: a model passes when its value lies where the values of retrained models lie. Each gives a number for
 * every sample it looks at, whose mean is the value, so that one bootstrap serves all.
 */
export interface Measure {
  /** The id of the metric it is, where there is one; permanent, it goes into results. */
  readonly id: string;
  readonly title: string;
  readonly group: MeasureGroup;
  readonly unit: "share" | "number";
  readonly scale: Scale;
  /** A difference from retrained models too small to matter, in the unit of the value, with its reason beside it. */
  readonly resolution: number;
  /** What a value above, or below, those of retrained models means, as the rest of a sentence on the model. */
  readonly above: string;
  readonly below: string;
  readonly values: MeasureValues;
}

/** How the numbers come about: from the model alone, from it and one retrained model, from it and all of them, or from models trained with the forget samples besides. */
export type MeasureValues =
  | { readonly kind: "own"; readonly of: (model: ScoredModel) => Float64Array }
  | { readonly kind: "pair"; readonly of: (model: ScoredModel, retrained: ScoredModel) => Float64Array }
  | {
      readonly kind: "calibrated";
      readonly of: (model: ScoredModel, retrained: readonly ScoredModel[]) => Float64Array;
    }
  | {
      readonly kind: "trace";
      readonly of: (
        model: ScoredModel,
        retrained: readonly ScoredModel[],
        trainedWith: readonly ScoredModel[],
      ) => Float64Array;
    };
