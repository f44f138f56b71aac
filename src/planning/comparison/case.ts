import type { FarmOptions } from "../../audit/farm/model-farm.ts";
import type { ModelSource } from "../../audit/farm/training-job.ts";
import type { DataParts } from "../../data/parts.ts";
import type { Scope } from "../../methods/contract.ts";
import type { KlomNormal } from "../../metrics/klom-normal.ts";
import type { Recipe } from "../../training/recipe.ts";

/** What methods are compared on: data, model and request. */
export interface ComparisonPlan {
  readonly parts: DataParts;
  readonly model: ModelSource;
  readonly recipe: Recipe;
  readonly scope: Scope;
  readonly forgetClasses: readonly number[];
  /** Positions in the training part. */
  readonly forget: Uint32Array;
  readonly retain: Uint32Array;
  /** Ids of methods; every one that can serve the request when left out. */
  readonly methods?: readonly string[] | undefined;
  readonly seeds: number;
  /** Settings each method may try on validation data in the first seed, its defaults included. */
  readonly trials: number;
  /** Models retrained besides one a seed; with those they are what KLoM is measured against. */
  readonly references: number;
  /** Decides every weight, order and draw. */
  readonly seed: number;
  /** Where models and finished cells are kept, and how many threads work. */
  readonly farm: FarmOptions;
  /** Versions of what computes: cells of another version are not taken for ones of this. */
  readonly versions: Readonly<Record<string, string>>;
}

/** Figures of one model on the case. */
export interface Figures {
  /** Error on the forget samples. */
  readonly ua: number;
  /** Accuracy on the retain samples. */
  readonly ra: number;
  /** Accuracy on test samples; of the kept classes where whole classes are forgotten. */
  readonly ta: number;
  /** AUC of the loss attack, forget samples against test samples of the same classes. */
  readonly mia: number;
  /** Worst accuracy over the test samples' groups (label and attributes); absent where the data name no attributes. */
  readonly worstGroup?: number;
}

/** A model's figures beside those of the retrained one. */
export interface Comparison extends Figures {
  /** Mean distance of UA, RA, TA and MIA to the retrained model's. */
  readonly gap: number;
  /** Π (1 − |difference|) over forget, retain and test accuracy. */
  readonly tow: number;
  /** As `tow`, with the attack's AUC in place of the forget accuracy. */
  readonly towMia: number;
  /** Mean KL(retrained ‖ model) on the forget samples, in nats. */
  readonly kl: number;
}

/** One method on one seed. */
export interface ComparisonRow {
  readonly method: string;
  readonly seed: number;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly figures: Comparison;
  /** Processor seconds of the one thread it ran on. */
  readonly seconds: number;
  readonly gradientEvaluations: number;
  /** Shares of what the method `retrain` takes on the same seed. */
  readonly timeShare: number;
  readonly gradientShare: number;
  /** What was prepared before the request: processor seconds and bytes; absent where nothing is. */
  readonly preparation?: { readonly seconds: number; readonly bytes: number; readonly timeShare: number };
  readonly stop?: string;
  readonly digest: string;
}

/** A method that did not come to an end. */
export interface ComparisonFailure {
  readonly method: string;
  readonly seed: number;
  readonly code: string;
  readonly message: string;
}

/** What a comparison gives. */
export interface ComparisonResult {
  readonly rows: readonly ComparisonRow[];
  readonly failures: readonly ComparisonFailure[];
  /** By seed: the trained model and the retrained one. */
  readonly references: readonly {
    readonly seed: number;
    readonly original: Comparison;
    readonly retrained: Comparison;
  }[];
  /** By method, over its seeds, on the forget samples; `trained` is the model before. */
  readonly klom: Readonly<Record<string, KlomNormal>>;
}
