import type { Samples } from "../../data/dataset.ts";
import type { LetheEvent } from "../../kernel/events.ts";
import { consume } from "../../kernel/events.ts";
import { keyFromSeed } from "../../kernel/key.ts";
import type { Architecture } from "../../models/architecture.ts";
import { trainByRecipe } from "../../training/recipe.ts";
import { openModelStore } from "./model-store.ts";
import { type FarmHeader, jobDigest, type TrainingJob } from "./training-job.ts";

/** A kill costs no more work than this; small models write no checkpoint at all. */
const CHECKPOINT_EVERY_MS = 10_000;

/** What a worker keeps open for all its jobs. */
export interface FarmBench {
  readonly header: FarmHeader;
  readonly samples: Samples;
  readonly architecture: Architecture;
  /** Directory of the store. */
  readonly store: string;
  /** Least time between two checkpoints; 10 s when left out. */
  readonly checkpointEveryMs?: number;
}

/**
 * Trains the model of a job and stores it; goes on where an earlier attempt left a checkpoint. A stored model is kept.
 *
 * @throws LETHE_CANCELLED, LETHE_NUMERIC_LOSS, LETHE_TRANSIENT_WRITE
 */
export async function trainJob(
  { header, samples, architecture, store: directory, checkpointEveryMs = CHECKPOINT_EVERY_MS }: FarmBench,
  job: TrainingJob,
  onEvent: (event: LetheEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const store = openModelStore(directory);
  const digest = jobDigest(header, job);
  if (typeof store.read(digest) === "object") return;
  let written = performance.now();
  const training = trainByRecipe(header.recipe, {
    architecture,
    samples: samples.subset(job.subset),
    key: keyFromSeed(job.seed),
    // One thread a model: the cores are taken by other models, and the bits do not depend on how many there are.
    runtime: { threads: 1, spinning: false },
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
