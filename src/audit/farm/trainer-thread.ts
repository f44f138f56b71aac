import { LetheError } from "../../kernel/errors.ts";
import { type PackedError, unpackError } from "../../kernel/packed-error.ts";
import type { CrewMessage } from "../../runtime/worker-crew.ts";
import { startWorkerThread, type WorkerProgram } from "../../runtime/worker-thread.ts";
import type { FarmHeader, TrainingJob } from "./training-job.ts";

/** What a worker thread is started with. */
export interface TrainerThreadData {
  readonly header: FarmHeader;
  /** Directory of the store. */
  readonly store: string;
}

/** A model to train. */
export interface TrainerTask {
  readonly job: TrainingJob;
  /** Comes back in the replies. */
  readonly index: number;
}

/** What a worker thread tells of a task. */
export type TrainerReply = { readonly index: number } & (
  | { readonly type: "step"; readonly step: number }
  | { readonly type: "done" }
  | { readonly type: "failed"; readonly error: PackedError }
);

/** The program of a thread that trains models of one farm, one after the other, into a store. */
export function trainerProgram(data: TrainerThreadData): WorkerProgram {
  return { beside: import.meta.url, name: "farm-worker", data };
}

/** A thread that trains models of one farm, one after the other, into a store. */
export interface TrainerThread {
  /**
   * Trains the model of a job and stores it. One job at a time.
   *
   * @param onStep - hears how many steps are done
   * @throws LETHE_CANCELLED after `stop`, LETHE_INTERNAL_WORKER when the thread has ended, and what training throws
   */
  train(job: TrainingJob, onStep: (step: number) => void): Promise<void>;
  /** Ends the thread after the step it is at: one that is torn down inside the engine may take the process with it. */
  stop(): Promise<void>;
}

/** Starts a thread. Many threads on one machine share the samples in memory. */
export function startTrainerThread(data: TrainerThreadData): TrainerThread {
  const worker = startWorkerThread(trainerProgram(data));
  let isStopped = false;
  let hasEnded = false;
  let current:
    | {
        readonly onStep: (step: number) => void;
        readonly resolve: () => void;
        readonly reject: (error: unknown) => void;
      }
    | undefined;
  const settle = (error?: unknown): void => {
    const job = current;
    current = undefined;
    if (error === undefined) job?.resolve();
    else job?.reject(error);
  };
  worker.on("message", (reply: TrainerReply) => {
    if (reply.type === "step") current?.onStep(reply.step);
    else settle(reply.type === "failed" ? unpackError(reply.error) : undefined);
  });
  worker.on("error", (cause) => settle(workerLost(cause)));
  const exit = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  const ended = (cause: unknown): LetheError =>
    isStopped ? new LetheError("cancelled", "CANCELLED", "The operation was cancelled.") : workerLost(cause);
  worker.on("exit", (code) => {
    hasEnded = true;
    settle(ended(code));
  });
  return {
    train: (job, onStep) =>
      new Promise((resolve, reject) => {
        if (hasEnded) return reject(ended(undefined));
        current = { onStep, resolve, reject };
        worker.postMessage({ type: "task", task: { job, index: 0 } } satisfies CrewMessage<TrainerTask>);
      }),
    async stop() {
      isStopped = true;
      worker.postMessage({ type: "stop" } satisfies CrewMessage<TrainerTask>);
      await exit;
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
