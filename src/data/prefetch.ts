import { LetheError } from "../kernel/errors.ts";
import { type PackedError, unpackError } from "../kernel/packed-error.ts";
import { startWorkerThread } from "../runtime/worker-thread.ts";
import type { Batch } from "./batches.ts";
import type { Normaliser } from "./normaliser.ts";
import type { LoadOptions } from "./source.ts";

/** Which samples a worker reads: it loads the dataset itself. */
export interface PrefetchSource {
  /** As `loadDataset` takes it. */
  readonly data: string;
  readonly part: "train" | "test";
  /** Which of the part's samples a batch's positions count; all when left out. */
  readonly subset?: Uint32Array;
  readonly options?: LoadOptions;
  /** What features are scaled by. */
  readonly normaliser?: Normaliser;
}

/** A worker's task: positions of samples. */
export interface PrefetchTask {
  readonly id: number;
  readonly positions: Uint32Array;
}

/** What came of a task; failure to load the dataset answers every task. */
export type PrefetchReply =
  | ({ readonly id: number; readonly error?: undefined } & Batch)
  | { readonly id: number; readonly error: PackedError };

/** Reads batches in another thread while the caller trains. */
export interface Prefetcher extends AsyncDisposable {
  /**
   * The `batch`-th piece of an order of positions, the same as if it were gathered here.
   *
   * @throws what loading the dataset and gathering throw · LETHE_INTERNAL_WORKER when the worker has ended
   */
  batches(order: Uint32Array, batch: number): Promise<Batch>;
}

/** One being trained on, one ready, one being read. */
const BATCHES_AHEAD = 2;

/**
 * Starts a worker thread that reads batches ahead: at most three are held at a time, whatever the size of the data. The order is the
 * caller's, so it depends on the caller's key alone.
 *
 * @param batchSize - samples of a batch, ≥ 1
 */
export function createPrefetcher(source: PrefetchSource, batchSize: number): Prefetcher {
  const worker = startWorkerThread({ beside: import.meta.url, name: "prefetch-worker", data: source });
  // One without a task keeps no process alive.
  worker.unref();
  const waiting = new Map<
    number,
    { readonly resolve: (batch: Batch) => void; readonly reject: (error: Error) => void }
  >();
  let read = new Map<number, Promise<Batch>>();
  let currentOrder: Uint32Array | undefined;
  let created = 0;
  let lost: LetheError | undefined;

  const end = async (cause?: unknown): Promise<void> => {
    lost ??= workerLost(cause);
    for (const { reject } of waiting.values()) reject(lost);
    waiting.clear();
    await worker.terminate();
  };
  worker.on("message", (reply: PrefetchReply) => {
    const task = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (waiting.size === 0) worker.unref();
    if (reply.error) task?.reject(unpackError(reply.error));
    else task?.resolve({ features: reply.features, labels: reply.labels });
  });
  worker.on("error", end);
  worker.on("exit", () => end());

  const request = (positions: Uint32Array): Promise<Batch> => {
    const promise = new Promise<Batch>((resolve, reject) => {
      if (lost !== undefined) return reject(lost);
      const task: PrefetchTask = { id: created++, positions };
      waiting.set(task.id, { resolve, reject });
      worker.ref();
      worker.postMessage(task);
    });
    // Of a batch that nobody asks for in the end, a failure is nobody's; who asks gets it all the same.
    promise.catch(() => undefined);
    return promise;
  };

  return {
    batches(order, batch) {
      if (order !== currentOrder) read = new Map();
      currentOrder = order;
      for (let ahead = batch; ahead <= batch + BATCHES_AHEAD && ahead * batchSize < order.length; ahead++) {
        if (!read.has(ahead)) {
          read.set(ahead, request(order.slice(ahead * batchSize, (ahead + 1) * batchSize)));
        }
      }
      const wanted = read.get(batch);
      for (const known of read.keys()) if (known <= batch) read.delete(known);
      return wanted ?? request(new Uint32Array());
    },
    [Symbol.asyncDispose]: () => end(),
  };
}

function workerLost(cause: unknown): LetheError {
  return new LetheError(
    "internal",
    "INTERNAL_WORKER",
    "Expected a worker thread to read batches, but it has ended. If memory is short, train without reading ahead.",
    { cause },
  );
}
