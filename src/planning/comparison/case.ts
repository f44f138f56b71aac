import type { Dataset, Samples } from "../../data/dataset.ts";
import type { DataParts } from "../../data/parts.ts";
import type { Key } from "../../kernel/key.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import type { Scope } from "../../methods/contract.ts";
import type { Architecture } from "../../models/architecture.ts";
import type { RuntimeOptions } from "../../runtime/program.ts";
import type { Recipe } from "../../training/recipe.ts";

/** What methods are compared on: data, model and request. */
export interface ComparisonPlan {
  readonly dataset: Dataset;
  readonly parts: DataParts;
  readonly architecture: Architecture;
  readonly recipe: Recipe;
  readonly scope: Scope;
  readonly forgetClasses: readonly number[];
  readonly forget: Samples;
  readonly retain: Samples;
  /** Ids of methods; every one that can serve the request when left out. */
  readonly methods?: readonly string[] | undefined;
  readonly seeds: number;
  /** Settings each method may try on validation data in the first seed, its defaults included. */
  readonly trials: number;
  readonly key: Key;
  readonly runtime: RuntimeOptions;
  readonly signal?: AbortSignal | undefined;
}

/** What was trained for one seed: the model to be unlearned from, and what it is to be judged by. */
export interface ComparisonSeed {
  readonly seed: number;
  readonly original: ParameterSet;
  readonly retrained: ParameterSet;
  /** Retrained once more with another key: what two retrained models differ by. */
  readonly control: ParameterSet;
  /** Seconds and sample gradients of a retraining. */
  readonly seconds: number;
  readonly gradientEvaluations: number;
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
  /** Mean KL(retrained ‖ model) on the forget samples, in nats. */
  readonly kl: number;
}

/** One method on one seed. */
export interface ComparisonRow {
  readonly method: string;
  readonly seed: number;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly figures: Comparison;
  readonly seconds: number;
  readonly gradientEvaluations: number;
  /** Shares of a retraining. */
  readonly timeShare: number;
  readonly gradientShare: number;
  /** What was prepared before the request: seconds and bytes; absent where nothing is. */
  readonly preparation?: { readonly seconds: number; readonly bytes: number };
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
