import type { Scale } from "../reference-band.ts";
import type { ScoredModel } from "../scored-model.ts";

/**
 * What a measure is about. `removal`: traces of the forget samples in what the model says; `features`: traces in what goes into its last
 * layer; `utility`: the use and the privacy of what was kept; `reported`: shown because readers look for it, and not judged.
 */
export type MeasureGroup = "removal" | "features" | "utility" | "reported";

/** What a figure of an audit is, whatever it is taken of. */
export interface MeasureFacts {
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
}

/**
 * One figure of an audit, two-sided: a model passes when its value lies where the values of retrained models lie. Each gives a number for
 * every sample it looks at, whose mean is the value, so that one bootstrap serves all. `Model` is what it is given of a model:
 * scores of classes, or of texts.
 */
export interface Measure<Model = ScoredModel> extends MeasureFacts {
  readonly values: MeasureValues<Model>;
}

/** How the numbers come about: from the model alone, from it and one retrained model, from it and all of them, or from models trained with the forget samples besides. */
export type MeasureValues<Model = ScoredModel> =
  | { readonly kind: "own"; readonly of: (model: Model) => Float64Array }
  | { readonly kind: "pair"; readonly of: (model: Model, retrained: Model) => Float64Array }
  | {
      readonly kind: "calibrated";
      readonly of: (model: Model, retrained: readonly Model[]) => Float64Array;
    }
  | {
      readonly kind: "trace";
      readonly of: (model: Model, retrained: readonly Model[], trainedWith: readonly Model[]) => Float64Array;
    };
