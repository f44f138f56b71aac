import type { Samples } from "../../data/dataset.ts";
import { type Digest, digestJson } from "../../kernel/digest.ts";
import { LetheError } from "../../kernel/errors.ts";
import { nested, type Progress } from "../../kernel/events.ts";
import { deriveKey, type Key } from "../../kernel/key.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import { type Architecture, initialWeights } from "../../models/architecture.ts";
import { train } from "../loop.ts";
import type { Trainer } from "../trainer.ts";
import { assignSlices } from "./assignment.ts";
import { recipeWith, type SisaCheckpoints } from "./checkpoint.ts";
import { epochsPerSlice, type SisaConfig } from "./config.ts";

/** What to train on, and where checkpoints are. */
export interface SisaOptions {
  readonly architecture: Architecture;
  /** The compiled step of the architecture and the optimizer of `config`. */
  readonly trainer: Trainer;
  /** The samples that may be learnt from: after a request, those that are left. */
  readonly samples: Samples;
  readonly config: SisaConfig;
  /** Decides starts, places and orders; the same for training and every later unlearning. */
  readonly key: Key;
  readonly checkpoints: SisaCheckpoints;
  readonly signal?: AbortSignal;
}

/** The models, and what they cost. */
export interface SisaResult {
  /** Weights of every shard. */
  readonly shards: readonly ParameterSet[];
  /** Samples × passes of this call. */
  readonly gradientEvaluations: number;
  /** The same if nothing had been kept: what training from scratch on these samples costs. */
  readonly gradientEvaluationsFromScratch: number;
  /** Slices that had to be trained, of all that have samples. */
  readonly slicesTrained: number;
  readonly slices: number;
}

/**
 * Brings sharded, sliced training up to date with its samples: every shard's model is trained on its slices one after another,
 * slice r on all samples up to r, with a checkpoint behind each.
 *
 * Training, exact unlearning and going on after a crash are this one operation. A checkpoint is taken over if its recipe
 * (settings, key, every sample up to its slice) is the present one, else it is made again from the slice before it; so
 * without some samples only their shards are trained, from their first slices on, and the result is bit for bit that of
 * training without them from scratch. Checkpoints that depend on them are written over.
 *
 * @yields a `phase` for every shard, `step` events of the slices that are trained, a `checkpoint` for each
 * @throws LETHE_DATA_EMPTY when a shard has no samples left; what training throws
 * Source: Bourtoule et al., "Machine unlearning" (2019), arXiv 1912.03817, section IV. Departures: places are drawn for each
 * sample or person by itself, so that shards differ in size by chance; each slice starts with fresh optimizer state.
 */
export async function* trainSisa(options: SisaOptions): Progress<SisaResult> {
  const { architecture, config, key, samples } = options;
  const facts = digestJson({
    architecture: architecture.id,
    weights: architecture.weights.map(({ name, shape }) => ({ name, shape: [...shape] })),
    config: { ...config, optimizer: { ...config.optimizer } },
    key: [...key],
  });
  const places = assignSlices(samples, config, deriveKey(key, "places"));
  const shards: ParameterSet[] = [];
  const costs = { gradientEvaluations: 0, gradientEvaluationsFromScratch: 0, slicesTrained: 0, slices: 0 };
  for (const [shard, slices] of places.entries()) {
    yield { type: "phase", name: `shard ${shard + 1}`, index: shard, of: places.length };
    const result = yield* updateShard(options, shard, slices, digestJson({ facts, shard }));
    for (const name of Object.keys(costs) as (keyof typeof costs)[]) costs[name] += result[name];
    if (result.slices > 0) shards.push(result.weights);
  }
  if (shards.length < config.shards) {
    throw new LetheError(
      "data",
      "DATA_EMPTY",
      `Expected samples in each of ${config.shards} shards, got ${config.shards - shards.length} without any. Train with fewer shards.`,
    );
  }
  return { shards, ...costs };
}

async function* updateShard(
  { architecture, trainer, samples, config, key, checkpoints, signal }: SisaOptions,
  shard: number,
  slices: readonly Uint32Array[],
  recipeBefore: Digest,
): Progress<Omit<SisaResult, "shards"> & { readonly weights: ParameterSet }> {
  const shardKey = deriveKey(key, "shard", shard);
  const epochs = epochsPerSlice(config);
  const costs = { gradientEvaluations: 0, gradientEvaluationsFromScratch: 0, slicesTrained: 0, slices: 0 };
  let weights = initialWeights(architecture, deriveKey(shardKey, "initial"));
  let recipe = recipeBefore;
  for (const [slice, positions] of slices.entries()) {
    recipe = recipeWith(recipe, samples.subset(positions));
    const union = samples.subset(slices.slice(0, slice + 1).flatMap((part) => [...part]));
    if (union.count > 0) {
      costs.slices++;
      costs.gradientEvaluationsFromScratch += union.count * epochs;
    }
    const kept = await checkpoints.read(shard, slice);
    if (kept?.recipe === recipe) {
      weights = kept.weights;
      continue;
    }
    if (union.count > 0) {
      const sliceKey = deriveKey(shardKey, "slice", slice);
      const { batchSize, learningRate } = config;
      const state = yield* nested(
        train(trainer, weights, {
          samples: union,
          epochs,
          batchSize,
          learningRate,
          key: sliceKey,
          ...(signal === undefined ? {} : { signal }),
        }),
      );
      weights = state.weights;
      costs.slicesTrained++;
      costs.gradientEvaluations += union.count * epochs;
    }
    await checkpoints.write(shard, slice, { weights, recipe });
    yield { type: "checkpoint", step: slice + 1, digest: recipe };
  }
  return { weights, ...costs };
}
