import type { Samples } from "../../src/data/dataset.ts";
import { joinedSamples } from "../../src/data/joined.ts";
import { consume } from "../../src/kernel/events.ts";
import { deriveKey, keyFromSeed } from "../../src/kernel/key.ts";
import type { ParameterSet } from "../../src/kernel/parameters.ts";
import type { Method, MethodOutcome, MethodRequest, Roles } from "../../src/methods/contract.ts";
import { methods } from "../../src/methods/index.ts";
import type { Architecture } from "../../src/models/architecture.ts";
import { ensembleOf } from "../../src/models/ensemble.ts";
import { recipeSchema, trainByRecipe } from "../../src/training/recipe.ts";
import type { SisaCheckpoint, SisaCheckpoints } from "../../src/training/sisa/checkpoint.ts";
import { shardedRecipe } from "../../src/training/sisa/sharded-recipe.ts";
import { trainInShards } from "../../src/training/sisa/train-in-shards.ts";
import { blobs } from "../support/blobs.ts";

/** A trained model small enough that every method is through in a moment, and the request that goes with it. */
export interface MethodCase {
  readonly request: MethodRequest & Roles;
  readonly training: Samples;
}

const RECIPE = recipeSchema.parse({ epochs: 4, batchSize: 16 });
const RUNTIME = { threads: 1, spinning: false } as const;

/** Trains `architecture` on blobs and asks to forget class 0, or every fifth sample. */
export async function methodCase(
  architecture: Architecture,
  scope: "class" | "sample" = "class",
): Promise<MethodCase> {
  const part = (seed: number, count: number): Samples =>
    blobs({
      count,
      featureShape: architecture.inputShape,
      classes: architecture.classes,
      seed,
      spread: 0.25,
    });
  const training = part(1, 120);
  const isForgotten = (position: number): boolean =>
    scope === "class" ? training.labels[position] === 0 : position % 5 === 0;
  const all = Uint32Array.from(training.labels, (_, position) => position);
  const state = await consume(
    trainByRecipe(RECIPE, { architecture, samples: training, key: keyFromSeed(3), runtime: RUNTIME }),
  );
  return {
    training,
    request: {
      architecture,
      weights: state.weights,
      scope,
      forgetClasses: scope === "class" ? [0] : [],
      recipe: RECIPE,
      key: deriveKey(keyFromSeed(4), "unlearn"),
      runtime: RUNTIME,
      methods,
      forget: training.subset(all.filter(isForgotten)),
      retain: training.subset(all.filter((position) => !isForgotten(position))),
      validation: part(2, 40),
    },
  };
}

/** The same request on a model that was trained in shards, with its checkpoints in memory. */
export async function shardedCase({ request, training }: MethodCase): Promise<MethodCase> {
  const kept = new Map<string, SisaCheckpoint>();
  const checkpoints: SisaCheckpoints = {
    read: (shard, slice) => kept.get(`${shard}/${slice}`),
    write: (shard, slice, checkpoint) => void kept.set(`${shard}/${slice}`, checkpoint),
  };
  const { architecture: member } = request;
  const division = { shards: 3, slices: 2 };
  const shards = { member, checkpoints, ...shardedRecipe(RECIPE, division, keyFromSeed(3)) };
  const { weights } = await consume(
    trainInShards(RECIPE, { ...shards, architecture: member, samples: training }, RUNTIME),
  );
  return { training, request: { ...request, architecture: ensembleOf(member, 3), weights, shards } };
}

/** Runs a method after its preparation, if it has one. */
export async function unlearn(
  method: Method,
  request: MethodRequest & Partial<Roles>,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<MethodOutcome> {
  const prepared = request.prepared ?? (await prepare(method, request, settings));
  return consume(method.run({ ...request, prepared }, settings));
}

/** What a method with a preparation makes of the training samples. */
export async function prepare(
  method: Method,
  request: MethodRequest & Partial<Roles>,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<ParameterSet | undefined> {
  const { forget, retain } = request;
  if (method.prepare === undefined || forget === undefined || retain === undefined) return undefined;
  const { prepared } = await consume(
    method.prepare({ ...request, training: joinedSamples(forget, retain) }, settings),
  );
  return prepared;
}
