import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";

/** Resident memory of a process that trains. */
export const memorySchema = z.strictObject({
  /** With the framework loaded, before there is a model. */
  baseBytes: z.number().positive(),
  /** The most there was. */
  peakBytes: z.number().positive(),
});

/** See {@link memorySchema}. */
export type StepMemory = z.output<typeof memorySchema>;

/** Steps after which the memory has stopped growing. */
const STEPS = 6;

/** The memory of Lethe's training steps, in a process of its own: this one has other models behind it. */
export async function measureMemory(
  model: string,
  batchSize: number,
  threads: number,
  signal?: AbortSignal,
): Promise<StepMemory> {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const worker = fileURLToPath(new URL(`./step-memory-worker.${extension}`, import.meta.url));
  const args = [worker, model, String(batchSize), String(threads), String(STEPS)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { ...(signal && { signal }) });
  return memorySchema.parse(JSON.parse(stdout));
}
