import type { Samples } from "../../data/dataset.ts";
import type { Digest } from "../../kernel/digest.ts";
import type { LetheEvent } from "../../kernel/events.ts";
import { consume } from "../../kernel/events.ts";
import { deriveKey, keyFromSeed } from "../../kernel/key.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import type { Architecture } from "../../models/architecture.ts";
import { trainByRecipe } from "../../training/recipe.ts";
import { openModelStore } from "./model-store.ts";
import { type FarmHeader, jobDigest, type TrainingJob, type UnlearningStep } from "./training-job.ts";

/** A kill costs no more work than this; small models write no checkpoint at all. */
const CHECKPOINT_EVERY_MS = 10_000;

/** One thread a model: the cores are taken by other models, and the bits do not depend on how many there are. */
const RUNTIME = { threads: 1, spinning: false } as const;

/** What a worker keeps open for all its jobs. */
export interface FarmBench {
  readonly header: FarmHeader;
  readonly samples: Samples;
  readonly validation?: Samples | undefined;
  readonly architecture: Architecture;
  /** Directory of the store. */
  readonly store: string;
  /** Least time between two checkpoints; 10 s when left out. */
  readonly checkpointEveryMs?: number;
}

/**
 * Trains the model of a job and stores it; goes on where an earlier attempt left a checkpoint. A stored model is kept. For a job that
 * unlearns, the trained model is stored too, under its own digest.
 *
 * @throws LETHE_CANCELLED, LETHE_NUMERIC_LOSS, LETHE_TRANSIENT_WRITE, and what the method throws
 */
export async function trainJob(
  bench: FarmBench,
  job: TrainingJob,
  onEvent: (event: LetheEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const store = openModelStore(bench.store);
  const digest = jobDigest(bench.header, job);
  if (typeof store.read(digest) === "object") return;
  const { unlearn, ...trained } = job;
  if (unlearn === undefined) return train(bench, job, digest, onEvent, signal);
  await trainJob(bench, trained, onEvent, signal);
  const weights = store.read(jobDigest(bench.header, trained)) as ParameterSet;
  store.write(digest, bench.architecture, await unlearned(bench, job, unlearn, weights, signal));
}

async function train(
  { header, samples, architecture, store: directory, checkpointEveryMs = CHECKPOINT_EVERY_MS }: FarmBench,
  job: TrainingJob,
  digest: Digest,
  onEvent: (event: LetheEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const store = openModelStore(directory);
  let written = performance.now();
  const training = trainByRecipe(header.recipe, {
    architecture,
    samples: samples.subset(job.subset),
    key: keyFromSeed(job.seed),
    runtime: RUNTIME,
    resume: store.readProgress(digest),
    onEpoch(state) {
      if (performance.now() - written < checkpointEveryMs) return;
      store.writeProgress(digest, state);
      written = performance.now();
    },
    signal,
  });
  const { weights } = await consume(training, onEvent);
  store.write(digest, architecture, weights);
}

async function unlearned(
  { header, samples, validation, architecture }: FarmBench,
  { subset, seed }: TrainingJob,
  { method: id, settings, scope, forget }: UnlearningStep,
  weights: ParameterSet,
  signal: AbortSignal,
): Promise<ParameterSet> {
  // A farm that only trains need not load every method.
  const { findMethod, methods } = await import("../../methods/index.ts");
  const method = findMethod(id);
  const key = deriveKey(keyFromSeed(seed), "unlearn");
  const gone = new Set(forget);
  const [forgetSamples, retainSamples] = [
    samples.subset(forget),
    samples.subset(subset.filter((position) => !gone.has(position))),
  ];
  const kept = retainSamples.positionsByClass();
  const common = { architecture, weights, recipe: header.recipe, key, runtime: RUNTIME, signal };
  const prepared =
    method.prepare === undefined
      ? undefined
      : (await consume(method.prepare({ ...common, training: samples.subset(subset) }, settings))).prepared;
  const run = method.run(
    {
      ...common,
      scope,
      forgetClasses: forgetSamples
        .positionsByClass()
        .flatMap(({ length }, label) => (length > 0 && kept[label]?.length === 0 ? [label] : [])),
      prepared,
      methods,
      forget: forgetSamples,
      retain: retainSamples,
      validation,
    },
    settings,
  );
  return (await consume(run)).weights;
}
