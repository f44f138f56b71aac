import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import { LetheError, throwIfCancelled } from "../../kernel/errors.ts";
import type { LetheEvent, Progress } from "../../kernel/events.ts";
import { type PackedError, unpackError } from "../../kernel/packed-error.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import { startWorkerThread } from "../../runtime/worker-thread.ts";
import { openModelStore } from "./model-store.ts";
import { type FarmHeader, jobDigest, type TrainingJob } from "./training-job.ts";

/** What a worker is started with. */
export interface FarmWorkerData {
  readonly header: FarmHeader;
  /** Directory of the store. */
  readonly store: string;
}

/** What a worker is told. */
export type FarmRequest =
  | { readonly type: "train"; readonly index: number; readonly job: TrainingJob }
  | { readonly type: "stop" };

/** What a worker tells. */
export type FarmReply =
  | { readonly type: "step"; readonly index: number; readonly step: number }
  | { readonly type: "done"; readonly index: number }
  | { readonly type: "failed"; readonly index: number; readonly error: PackedError };

/** Where and how a farm works. */
export interface FarmOptions {
  /** Directory of finished models, shared by all commands. */
  readonly store: string;
  /** Models trained at the same time, each in a thread of its own; as many as there are cores when left out. */
  readonly workers?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Trains many models on subsets of one data set, one thread a model. A model that is stored already is not trained again; a
 * killed farm goes on with what is missing when it is called again.
 *
 * @param jobs - equal ones are trained once
 * @yields `step` events over all models, with the number of finished ones
 * @returns the weights in the order of `jobs`, a pure function of (header, job)
 * @throws LETHE_CANCELLED, LETHE_NUMERIC_LOSS, LETHE_TRANSIENT_WRITE, LETHE_INTERNAL_WORKER
 */
export async function* trainModels(
  header: FarmHeader,
  jobs: readonly TrainingJob[],
  options: FarmOptions,
): Progress<readonly ParameterSet[]> {
  const store = openModelStore(options.store);
  const digests = jobs.map((job) => jobDigest(header, job));
  const stored = digests.map((digest) => store.read(digest));
  const damaged = stored.filter((found) => found === "damaged").length;
  if (damaged > 0) {
    yield {
      type: "notice",
      code: "STORE_DAMAGED",
      message: "Stored models are not what was written; they are trained again.",
      details: { models: damaged, store: options.store },
    };
  }
  const missing = [...jobs.keys()].filter(
    (index) => typeof stored[index] !== "object" && digests.indexOf(digests[index] as never) === index,
  );
  yield {
    type: "started",
    operation: `Training ${missing.length} models`,
    details: { stored: jobs.length - missing.length, missing: missing.length },
  };
  if (missing.length > 0) yield* runWorkers(header, jobs, missing, options);
  return digests.map((digest, index) => {
    const found = stored[index];
    const weights = typeof found === "object" ? found : store.read(digest);
    if (typeof weights === "object") return weights;
    throw new LetheError(
      "transient",
      "TRANSIENT_STORE",
      `Expected the model just trained in ${options.store}, found none. Was the directory emptied meanwhile? Run again.`,
    );
  });
}

async function* runWorkers(
  header: FarmHeader,
  jobs: readonly TrainingJob[],
  missing: readonly number[],
  { store, workers = availableParallelism(), signal }: FarmOptions,
): Progress<void> {
  const total = missing.reduce((sum, index) => sum + stepsOf(header, jobs[index] as TrainingJob), 0);
  const steps = new Map<number, number>();
  const queue = [...missing];
  const inbox = createInbox<FarmReply | { readonly type: "lost"; readonly cause: unknown }>();
  const crew = Array.from({ length: Math.min(workers, missing.length) }, () =>
    startWorkerThread(import.meta.url, "farm-worker", { header, store } satisfies FarmWorkerData),
  );
  const abort = (): void => inbox.put({ type: "lost", cause: undefined });
  signal?.addEventListener("abort", abort);
  const assign = (worker: Worker): void => {
    const index = queue.shift();
    if (index === undefined) return;
    worker.postMessage({ type: "train", index, job: jobs[index] as TrainingJob } satisfies FarmRequest);
  };
  const exits = crew.map((worker) => new Promise<void>((resolve) => worker.once("exit", () => resolve())));
  for (const worker of crew) {
    worker.on("message", (reply: FarmReply) => {
      if (reply.type === "done") assign(worker);
      inbox.put(reply);
    });
    worker.on("error", (cause) => inbox.put({ type: "lost", cause }));
    worker.on("exit", (code) => code !== 0 && inbox.put({ type: "lost", cause: code }));
    assign(worker);
  }
  try {
    for (let done = 0; done < missing.length; ) {
      throwIfCancelled(signal);
      const reply = await inbox.take();
      throwIfCancelled(signal);
      if (reply.type === "failed") throw unpackError(reply.error);
      if (reply.type === "lost") throw workerLost(reply.cause);
      if (reply.type === "done") done++;
      steps.set(
        reply.index,
        reply.type === "done" ? stepsOf(header, jobs[reply.index] as TrainingJob) : reply.step,
      );
      const reached = [...steps.values()].reduce((sum, count) => sum + count, 0);
      yield {
        type: "step",
        step: reached,
        of: total,
        scalars: { models: `${done} of ${missing.length}` },
      } satisfies LetheEvent;
    }
  } finally {
    signal?.removeEventListener("abort", abort);
    for (const worker of crew) worker.postMessage({ type: "stop" } satisfies FarmRequest);
    // A worker ends by itself after the step it is at: one that is torn down inside the engine may take the process with it.
    await Promise.all(exits);
  }
}

function stepsOf({ recipe }: FarmHeader, { subset }: TrainingJob): number {
  return recipe.epochs * Math.ceil(subset.length / recipe.batchSize);
}

/** Messages in the order they came, for a reader that waits. */
function createInbox<Message>(): { put(message: Message): void; take(): Promise<Message> } {
  const waiting: Message[] = [];
  let wake: (() => void) | undefined;
  return {
    put(message) {
      waiting.push(message);
      wake?.();
    },
    async take() {
      while (waiting.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return waiting.shift() as Message;
    },
  };
}

function workerLost(cause: unknown): LetheError {
  return new LetheError(
    "internal",
    "INTERNAL_WORKER",
    "Expected worker threads to train models, but one has ended. If memory is short, use fewer workers; finished models are kept.",
    { cause },
  );
}
