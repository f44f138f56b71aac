import { availableParallelism } from "node:os";
import type { Digest } from "../../kernel/digest.ts";
import type { LetheEvent, Progress } from "../../kernel/events.ts";
import { unpackError } from "../../kernel/packed-error.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import { runCrew } from "../../runtime/worker-crew.ts";
import { openModelStore } from "./model-store.ts";
import type { QueueOptions } from "./queue/queue-options.ts";
import { type TrainerReply, type TrainerTask, trainerProgram } from "./trainer-thread.ts";
import { type FarmHeader, jobDigest, stepsOf, type TrainingJob } from "./training-job.ts";

/** Where and how a farm works. */
export interface FarmOptions {
  /** Directory of finished models, shared by all commands. */
  readonly store: string;
  /** Models trained at the same time, each in a thread of its own; as many as there are cores when left out. */
  readonly workers?: number | undefined;
  /** Train on the machines that work at a database in place of this one. */
  readonly queue?: QueueOptions | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Trains many models on subsets of one data set, one thread a model. A model that is stored already is not trained again; a
 * killed farm goes on with what is missing when it is called again.
 *
 * @param jobs - equal ones are trained once
 * @yields `step` events over all models, with the number of finished ones
 * @returns the weights in the order of `jobs`, a pure function of (header, job)
 * @throws LETHE_CANCELLED, LETHE_NUMERIC_LOSS, LETHE_TRANSIENT_WRITE, LETHE_TRANSIENT_STORE, LETHE_INTERNAL_WORKER, and with a queue LETHE_TRANSIENT_DATABASE
 */
export async function* trainModels(
  header: FarmHeader,
  jobs: readonly TrainingJob[],
  options: FarmOptions,
): Progress<readonly ParameterSet[]> {
  const digests = yield* storeModels(header, jobs, options);
  const store = openModelStore(options.store);
  return digests.map((digest) => store.require(digest));
}

/** As {@link trainModels}, but leaves the weights in the store, for models that do not fit into memory together. @returns the names of the jobs' models there */
export async function* storeModels(
  header: FarmHeader,
  jobs: readonly TrainingJob[],
  options: FarmOptions,
): Progress<readonly Digest[]> {
  const store = openModelStore(options.store);
  const digests = jobs.map((job) => jobDigest(header, job));
  const states = digests.map((digest) => {
    const found = store.read(digest);
    return typeof found === "object" ? "stored" : found;
  });
  const damaged = states.filter((state) => state === "damaged").length;
  if (damaged > 0) {
    yield {
      type: "notice",
      code: "STORE_DAMAGED",
      message: "Stored models are not what was written; they are trained again.",
      details: { models: damaged, store: options.store },
    };
  }
  const missing = [...jobs.keys()].filter(
    (index) => states[index] !== "stored" && digests.indexOf(digests[index] as never) === index,
  );
  yield {
    type: "started",
    operation: `Training ${missing.length} models`,
    details: { stored: jobs.length - missing.length, missing: missing.length },
  };
  if (missing.length > 0) {
    const wanted = missing.map((index) => jobs[index] as TrainingJob);
    if (options.queue === undefined) yield* trainHere(header, wanted, options);
    else {
      // The database's client is loaded when it is wanted.
      const { trainOnQueue } = await import("./queue/train-on-queue.ts");
      yield* trainOnQueue(header, wanted, { ...options, queue: options.queue });
    }
  }
  return digests;
}

async function* trainHere(
  header: FarmHeader,
  jobs: readonly TrainingJob[],
  { store, workers = availableParallelism(), signal }: FarmOptions,
): Progress<void> {
  const total = jobs.reduce((sum, job) => sum + stepsOf(header, job), 0);
  const steps = new Float64Array(jobs.length);
  const queue = jobs.map((job, index) => ({ index, job }));
  const crew = runCrew<TrainerTask, TrainerReply>({
    program: trainerProgram({ header, store }),
    size: Math.min(workers, jobs.length),
    next: () => queue.shift(),
    ends: ({ type }) => type !== "step",
    signal,
  });
  let done = 0;
  for await (const reply of crew) {
    if (reply.type === "failed") throw unpackError(reply.error);
    if (reply.type === "done") done++;
    steps[reply.index] =
      reply.type === "done" ? stepsOf(header, jobs[reply.index] as TrainingJob) : reply.step;
    yield {
      type: "step",
      step: steps.reduce((sum, count) => sum + count, 0),
      of: total,
      scalars: { models: `${done} of ${jobs.length}` },
    } satisfies LetheEvent;
  }
}
