import type { DatabaseSync } from "node:sqlite";
import { digestEntry } from "../../history/chain.ts";
import { first } from "./database.ts";
import { readEntryRows, readNames } from "./history-rows.ts";
import { CLIENTS_PER_ROUND, STATUS_NUMBERS } from "./history-schema.ts";

/**
 * Takes out the records of rounds before the last `rounds`; their entries keep weight and digest, so that the chain can
 * still be followed. To be called in the transaction of a new round; the file gives the space to later records.
 */
export function leaveWindow(database: DatabaseSync, rounds: number): void {
  if (rounds === 0 || rounds === Number.POSITIVE_INFINITY) return;
  const left = first<{ readonly round: number }>(
    database,
    "SELECT round FROM rounds ORDER BY round DESC LIMIT 1 OFFSET ?",
    rounds,
  );
  if (!left) return;
  const names = readNames(database);
  const drop = database.prepare(
    "UPDATE entries SET status = ?, reference = NULL, record = NULL, digest = ? WHERE id = ?",
  );
  const numbers = new Map(Array.from(names, ([ordinal, name]) => [name, ordinal]));
  for (const { entry } of readEntryRows(database, left.round, names)) {
    if (entry.record === undefined) continue;
    const id = left.round * CLIENTS_PER_ROUND + (numbers.get(entry.client) ?? 0);
    drop.run(STATUS_NUMBERS.dropped, digestEntry(entry), id);
  }
}
