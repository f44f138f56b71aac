import { LetheError } from "../kernel/errors.ts";
import type { TrainingRun } from "../storage/training-run.ts";

/** What may be done to a model trained in shards: its method, which is exact, and what is compared with it. */
const SHARD_METHODS = new Set(["sisa", "do-nothing", "random-noise"]);

/**
 * A method that fits how a model was trained: another one would leave the shards' checkpoints behind with what it took out of the
 * model.
 *
 * @throws LETHE_USAGE_SHARDS
 */
export function requireShardMethod({ sisa }: Pick<TrainingRun, "sisa">, method: string): void {
  if (sisa === undefined || SHARD_METHODS.has(method)) return;
  throw new LetheError(
    "usage",
    "USAGE_SHARDS",
    `Expected --method sisa for a model trained in shards, got \`${method}\`. It is exact, and cheaper than the others.`,
  );
}
