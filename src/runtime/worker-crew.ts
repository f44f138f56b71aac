import type { Worker } from "node:worker_threads";
import { LetheError, throwIfCancelled } from "../kernel/errors.ts";
import { createInbox } from "../kernel/inbox.ts";
import { startWorkerThread, type WorkerProgram } from "./worker-thread.ts";

/** What a worker of a crew is sent. */
export type CrewMessage<Task> = { readonly type: "task"; readonly task: Task } | { readonly type: "stop" };

/** A crew of worker threads and its work. */
export interface Crew<Task, Reply> {
  readonly program: WorkerProgram;
  readonly size: number;
  /** The next task; `undefined` while there is none. Asked again whenever a task has ended. */
  next(): Task | undefined;
  /** Whether a reply is the last one of its task. */
  ends(reply: Reply): boolean;
  readonly signal?: AbortSignal | undefined;
}

type Received<Reply> =
  | { readonly type: "reply"; readonly reply: Reply }
  | { readonly type: "lost"; readonly cause: unknown };

/**
 * Gives tasks to worker threads, one at a time each, and yields what they tell, until there is no task left and none is under way.
 * A worker that is told to stop is expected to close its port after the step it is at: one that is torn down inside the
 * engine may take the process with it.
 *
 * @throws LETHE_CANCELLED, LETHE_INTERNAL_WORKER when a thread ends by itself
 */
export async function* runCrew<Task, Reply>(crew: Crew<Task, Reply>): AsyncGenerator<Reply, void> {
  const { program, size, signal } = crew;
  const inbox = createInbox<Received<Reply>>();
  const workers = Array.from({ length: size }, () => startWorkerThread(program));
  const exits = workers.map((worker) => new Promise<void>((resolve) => worker.once("exit", () => resolve())));
  const idle = new Set<Worker>(workers);
  const assign = (): void => {
    for (const worker of [...idle]) {
      const task = crew.next();
      if (task === undefined) return;
      idle.delete(worker);
      worker.postMessage({ type: "task", task } satisfies CrewMessage<Task>);
    }
  };
  const abort = (): void => inbox.put({ type: "lost", cause: undefined });
  signal?.addEventListener("abort", abort);
  for (const worker of workers) {
    worker.on("message", (reply: Reply) => {
      if (crew.ends(reply)) idle.add(worker);
      inbox.put({ type: "reply", reply });
    });
    worker.on("error", (cause) => inbox.put({ type: "lost", cause }));
    worker.on("exit", (code) => code !== 0 && inbox.put({ type: "lost", cause: code }));
  }
  try {
    throwIfCancelled(signal);
    assign();
    while (idle.size < workers.length || inbox.size() > 0) {
      const received = await inbox.take();
      throwIfCancelled(signal);
      if (received.type === "lost") throw workerLost(received.cause);
      yield received.reply;
      if (crew.ends(received.reply)) assign();
    }
  } finally {
    signal?.removeEventListener("abort", abort);
    for (const worker of workers) worker.postMessage({ type: "stop" } satisfies CrewMessage<Task>);
    await Promise.all(exits);
  }
}

function workerLost(cause: unknown): LetheError {
  return new LetheError(
    "internal",
    "INTERNAL_WORKER",
    "Expected worker threads to go on, but one has ended. If memory is short, use fewer workers; what is finished is kept.",
    { cause },
  );
}
