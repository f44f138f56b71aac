import { z } from "zod";
import { type Digest, digestArrays, digestBytes, digestJson } from "../../kernel/digest.ts";
import type { Scope } from "../../methods/contract.ts";
import type { Adaptation } from "../../models/adapt.ts";
import type { Architecture } from "../../models/architecture.ts";
import { createModel } from "../../models/index.ts";
import { onnxArchitecture } from "../../models/onnx-model.ts";
import type { ModelSizes } from "../../models/ready-model.ts";
import { runModel } from "../../storage/run-model.ts";
import type { Recipe } from "../../training/recipe.ts";
import type { SharedSamples } from "./shared-samples.ts";

/** What makes an architecture in another thread: a ready one's text with its sizes, or the bytes of a user's file. */
export type ModelSource = (
  | { readonly kind: "ready"; readonly text: string; readonly sizes: ModelSizes }
  | { readonly kind: "file"; readonly name: string; readonly bytes: Uint8Array }
) & {
  /** What of it is trained where not all is, and the seed of the weights the rest is frozen at. */
  readonly part?: { readonly adaptation: Adaptation; readonly seed: number } | undefined;
};

/** What all models of a farm have in common. */
export interface FarmHeader {
  readonly data: SharedSamples;
  readonly model: ModelSource;
  readonly recipe: Recipe;
  /** Held-out samples, for methods whose stopping rules look at them; only jobs that unlearn depend on it. */
  readonly validation?: SharedSamples | undefined;
}

/** One model to be trained. */
export interface TrainingJob {
  /** Positions in the farm's data the model is trained on, ascending. */
  readonly subset: Uint32Array;
  /** Decides initial weights and order. */
  readonly seed: number | string;
  /** What is done with the trained model, for a model that has unlearned. */
  readonly unlearn?: UnlearningStep | undefined;
}

/** A method applied to a trained model. */
export interface UnlearningStep {
  readonly method: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly scope: Scope;
  /** Positions in the farm's data, all of them in the job's subset, ascending. */
  readonly forget: Uint32Array;
}

/** Changed when training by the same facts gives other weights, so that old models are not taken for new ones. */
export const FARM_VERSION = 1;

/** Of exactly what decides a model's weights: data, architecture, recipe, subset and seed. Every model is trained with one thread. */
export function jobDigest(
  { data, model, recipe, validation }: FarmHeader,
  { subset, seed, unlearn }: TrainingJob,
): Digest {
  return digestJson(
    z.json().parse(
      JSON.parse(
        JSON.stringify({
          version: FARM_VERSION,
          data: data.digest,
          model: model.kind === "ready" ? [model.text, model.sizes] : digestBytes(model.bytes),
          recipe,
          // Left out where it was before there were parts, so that models stored then are found.
          ...(model.part === undefined ? {} : { part: model.part }),
          subset: digestArrays(new Map([["positions", subset]])),
          seed,
          // Left out for trained models: their digests are those of earlier versions.
          unlearn: unlearn && {
            ...unlearn,
            forget: digestArrays(new Map([["positions", unlearn.forget]])),
            validation: validation?.digest,
          },
        }),
      ),
    ),
  );
}

/** Training steps of a job. */
export function stepsOf({ recipe }: Pick<FarmHeader, "recipe">, { subset }: TrainingJob): number {
  return recipe.epochs * Math.ceil(subset.length / recipe.batchSize);
}

/**
 * The architecture of a source.
 *
 * @throws LETHE_USAGE_MODEL, LETHE_DATA_ONNX, LETHE_DATA_MODEL
 */
export function openModel(source: ModelSource): Architecture {
  const whole =
    source.kind === "ready"
      ? createModel(source.text, source.sizes)
      : onnxArchitecture(source.bytes, source.name);
  return source.part === undefined ? whole : runModel(whole, source.part).architecture;
}
