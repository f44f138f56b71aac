import { Worker } from "node:worker_threads";

/**
 * Starts a worker thread from the file `NAME.ts` beside a module, `NAME.js` in the built package.
 *
 * @param beside - the module's `import.meta.url`
 * @param data - what the worker reads as `workerData`
 */
export function startWorkerThread(beside: string, name: string, data: unknown): Worker {
  const extension = beside.endsWith(".ts") ? "ts" : "js";
  // Flags of the process, such as --input-type, are meant for its own program.
  return new Worker(new URL(`./${name}.${extension}`, beside), { workerData: data, execArgv: [] });
}
