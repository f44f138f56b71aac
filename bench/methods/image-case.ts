import type { Samples } from "../../src/data/dataset.ts";
import { loadDataset } from "../../src/data/index.ts";
import { deriveKey, type Key, keyFromSeed, randomStream } from "../../src/kernel/key.ts";
import type { Scope } from "../../src/methods/contract.ts";
import type { Architecture } from "../../src/models/architecture.ts";
import { type Recipe, recipeSchema } from "../../src/training/recipe.ts";
import type { ExperimentCase } from "./experiment.ts";

/** How a case is made from an image dataset. */
export interface ImageCase {
  readonly id: string;
  readonly seed: number;
  readonly dataset: string;
  /** Samples trained on, held out for the method (stopping rules, tuning), and held out for the final attack. */
  readonly training: number;
  readonly validation: number;
  readonly holdout: number;
  readonly architecture: (of: {
    readonly inputShape: readonly number[];
    readonly classes: number;
  }) => Architecture;
  readonly recipe: Parameters<typeof recipeSchema.parse>[0];
  /** Whole classes, or a share of the training samples drawn at random, or so many of every class. */
  readonly forget:
    | { readonly classes: readonly number[] }
    | { readonly share: number }
    | { readonly perClass: number };
  /** Changes all samples alike before they are divided, such as into those of two devices. */
  readonly altered?: (samples: Samples, key: Key) => Samples;
  /** Which training samples are forgotten, where that is none of the usual. */
  readonly chosen?: (training: Samples, key: Key) => Uint32Array;
  readonly scope?: Scope;
}

/** Draws a case: other samples and another request with every seed. */
export async function imageCase(options: ImageCase): Promise<ExperimentCase> {
  const { id, seed, altered = (samples: Samples) => samples } = options;
  const { train, test, classNames } = await loadDataset(options.dataset);
  const key = deriveKey(keyFromSeed(seed), "acceptance", options.dataset);
  const order = randomStream(deriveKey(key, "samples")).permutation(train.count);
  let at = 0;
  const take = (count: number, name: string): Samples => {
    const positions = order.subarray(at, at + count);
    at += count;
    return altered(train.subset(positions), deriveKey(key, name));
  };
  const training = take(options.training, "training");
  const forgotten = options.chosen?.(training, deriveKey(key, "forget")) ?? drawn(training, options, key);
  const gone = new Set(forgotten);
  const recipe: Recipe = recipeSchema.parse(options.recipe);
  return {
    id,
    seed,
    key,
    architecture: options.architecture({ inputShape: train.featureShape, classes: classNames.length }),
    recipe,
    scope: options.scope ?? ("classes" in options.forget ? "class" : "sample"),
    forgetClasses: "classes" in options.forget ? options.forget.classes : [],
    training,
    forget: training.subset(forgotten),
    retain: training.subset(positionsOf(training, (position) => !gone.has(position))),
    validation: take(options.validation, "validation"),
    holdout: take(options.holdout, "holdout"),
    test: altered(test, deriveKey(key, "test")),
  };
}

function drawn(training: Samples, { forget }: ImageCase, key: Key): Uint32Array {
  if ("classes" in forget) {
    return positionsOf(training, (position) => forget.classes.includes(training.labels[position] as number));
  }
  const shuffled = randomStream(deriveKey(key, "forget")).permutation(training.count);
  if ("share" in forget) return shuffled.slice(0, Math.round(forget.share * training.count)).sort();
  const left = new Map<number, number>();
  return shuffled
    .filter((position) => {
      const label = training.labels[position] as number;
      const taken = left.get(label) ?? 0;
      left.set(label, taken + 1);
      return taken < forget.perClass;
    })
    .sort();
}

/** The positions of samples that are wanted, ascending. */
export function positionsOf(samples: Samples, isWanted: (position: number) => boolean): Uint32Array {
  return Uint32Array.from(samples.labels, (_, position) => position).filter(isWanted);
}
