import { Worker } from "node:worker_threads";

/** A worker thread's program: the file `NAME.ts` beside a module, `NAME.js` in the built package. */
export interface WorkerProgram {
  /** The module's `import.meta.url`. */
  readonly beside: string;
  readonly name: string;
  /** What the worker reads as `workerData`. */
  readonly data: unknown;
}

/** Starts a worker thread. */
export function startWorkerThread({ beside, name, data }: WorkerProgram): Worker {
  const extension = beside.endsWith(".ts") ? "ts" : "js";
  // Flags of the process, such as --input-type, are meant for its own program.
  return new Worker(new URL(`./${name}.${extension}`, beside), { workerData: data, execArgv: [] });
}
