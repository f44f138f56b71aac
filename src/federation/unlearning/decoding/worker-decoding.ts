import { LetheError } from "../../../kernel/errors.ts";
import { type PackedError, unpackError } from "../../../kernel/packed-error.ts";
import { startWorkerThread } from "../../../runtime/worker-thread.ts";
import type { DecodingHeader, RoundDecoding, UndecodedRound } from "./round-decoding.ts";

/** A round as every worker gets it. */
export interface DecodingTask {
  readonly id: number;
  readonly round: UndecodedRound;
  /** In shared memory. */
  readonly out: readonly Float32Array[];
  /** [1], in shared memory: the first entry that no worker has taken. */
  readonly next: Int32Array;
}

/** What a worker says when no entry of a task is left. */
export interface DecodingReply {
  readonly id: number;
  readonly failure: { readonly index: number; readonly error: PackedError } | undefined;
}

/** A task some workers still work on. */
interface OpenTask {
  waitingFor: number;
  readonly failures: NonNullable<DecodingReply["failure"]>[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT;

/**
 * Decodes in worker threads, which take a round's entries from a shared counter: the caller's thread may be busy all the
 * while. Gives the bits of `inlineDecoding`, and the same error. Workers without a task keep no process alive.
 *
 * @param workers - ≥ 1
 */
export function workerDecoding({ layout, key, codec }: DecodingHeader, workers: number): RoundDecoding {
  const tasks = new Map<number, OpenTask>();
  const header: DecodingHeader = { layout, key, codec };
  const crew = Array.from({ length: workers }, () =>
    startWorkerThread({ beside: import.meta.url, name: "decoding-worker", data: header }),
  );
  for (const worker of crew) worker.unref();
  let created = 0;
  let lost: LetheError | undefined;

  const settle = ({ id, failure }: DecodingReply): void => {
    const task = tasks.get(id);
    if (task === undefined) return;
    if (failure !== undefined) task.failures.push(failure);
    if (--task.waitingFor > 0) return;
    tasks.delete(id);
    if (tasks.size === 0) for (const worker of crew) worker.unref();
    // Entries are taken in order, so the lowest failure is the one that a single thread would have met.
    const [first] = task.failures.sort((a, b) => a.index - b.index);
    if (first === undefined) task.resolve();
    else task.reject(unpackError(first.error));
  };
  /** Ends all workers, also when one was lost: without it open tasks would wait for ever. */
  const end = async (cause?: unknown): Promise<void> => {
    lost ??= workerLost(cause);
    for (const task of tasks.values()) task.reject(lost);
    tasks.clear();
    await Promise.all(crew.map((worker) => worker.terminate()));
  };
  for (const worker of crew) {
    worker.on("message", settle);
    worker.on("error", end);
    worker.on("exit", () => end());
  }

  return {
    roundsAhead: 1,
    createArray: () => new Float32Array(new SharedArrayBuffer(layout.length * FLOAT_BYTES)),
    decode(round, out) {
      return new Promise((resolve, reject) => {
        if (lost !== undefined) return reject(lost);
        const next = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
        const task: DecodingTask = { id: created++, round, out, next };
        tasks.set(task.id, { waitingFor: crew.length, failures: [], resolve, reject });
        for (const worker of crew) {
          worker.ref();
          worker.postMessage(task);
        }
      });
    },
    [Symbol.asyncDispose]: () => end(),
  };
}

function workerLost(cause: unknown): LetheError {
  return new LetheError(
    "internal",
    "INTERNAL_WORKER",
    "Expected worker threads to decode updates, but they have ended. If memory is short, use one thread; do not read on " +
      "from a history that was disposed of.",
    { cause },
  );
}
