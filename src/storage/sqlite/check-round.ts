import type { DatabaseSync } from "node:sqlite";
import { LetheError } from "../../kernel/errors.ts";
import { first } from "./database.ts";
import { readClient } from "./history-rows.ts";

/** @throws LETHE_USAGE_ROUND_ORDER for a round that is not above all there are */
export function checkRoundNumber(database: DatabaseSync, round: number): void {
  const query = "SELECT max(round) AS round FROM rounds";
  const last = first<{ readonly round: number | null }>(database, query)?.round ?? null;
  if (!Number.isInteger(round) || round < 0 || round >= 2 ** 32 || (last !== null && round <= last)) {
    throw new LetheError(
      "usage",
      "USAGE_ROUND_ORDER",
      `Expected a round number above ${last ?? "or equal to 0"} and below 2^32, got ${round}. Rounds are accepted in order.`,
      { details: { round, last } },
    );
  }
}

/** @throws LETHE_NUMERIC_WEIGHTS */
export function checkWeights(round: number, weights: Float32Array, length: number): void {
  if (weights.length !== length || !weights.every(Number.isFinite)) {
    throw new LetheError(
      "numeric",
      "NUMERIC_WEIGHTS",
      `Expected ${length} finite global weights after round ${round}, got ${weights.length}, some not finite or too few.`,
      { details: { round } },
    );
  }
}

/** @throws LETHE_USAGE_CLIENT_ERASED */
export function checkNotErased(database: DatabaseSync, round: number, clients: readonly string[]): void {
  const erased = clients.find((client) => readClient(database, client)?.erased);
  if (erased === undefined) return;
  throw new LetheError(
    "usage",
    "USAGE_CLIENT_ERASED",
    `Expected clients that were not erased in round ${round}, got "${erased}". Leave it out, or give it a new name.`,
    { details: { round, client: erased } },
  );
}
