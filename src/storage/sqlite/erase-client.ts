import type { DatabaseSync } from "node:sqlite";
import { digestEntry } from "../../history/chain.ts";
import type { ErasureReceipt } from "../../history/store.ts";
import { LetheError } from "../../kernel/errors.ts";
import { all, first, guarded, inTransaction } from "./database.ts";
import { type ClientRow, readClient, readEntryRow, readNames } from "./history-rows.ts";
import { CLIENTS_PER_ROUND, STATUS_NUMBERS } from "./history-schema.ts";
import type { Vault } from "./vault.ts";

/**
 * Replaces all entries of a client by their digests, in one transaction that also notes that the file is to be cleaned.
 * Until {@link finishErasure} the old bytes may still lie in the file and its log.
 *
 * @throws LETHE_USAGE_UNKNOWN_CLIENT
 */
export function eraseEntries(database: DatabaseSync, path: string, client: string): ErasureReceipt {
  return inTransaction(database, path, () => {
    const known = requireClient(database, client);
    const names = new Map([[known.ordinal, client]]);
    const ids = all<{ readonly id: number }>(
      database,
      "SELECT id FROM entries WHERE id % ? = ? AND status <> ?",
      CLIENTS_PER_ROUND,
      known.ordinal,
      STATUS_NUMBERS.erased,
    );
    const empty = database.prepare(
      "UPDATE entries SET status = ?, weight = 0, reference = NULL, record = NULL, digest = ? WHERE id = ?",
    );
    let recordBytes = 0;
    for (const { id } of ids) {
      const round = Math.floor(id / CLIENTS_PER_ROUND);
      const row = readEntryRow(database, round, known.ordinal, names);
      if (!row) continue;
      const { entry, digest } = row;
      recordBytes += entry.record?.length ?? 0;
      empty.run(STATUS_NUMBERS.erased, digest ?? digestEntry(entry), id);
    }
    database.prepare("DELETE FROM auxiliary WHERE client = ?").run(known.ordinal);
    database
      .prepare("UPDATE clients SET erased = 1, last_record_round = NULL WHERE ordinal = ?")
      .run(known.ordinal);
    database.exec("INSERT OR IGNORE INTO cleanup (id) VALUES (1)");
    return { client, rounds: ids.length, recordBytes };
  });
}

/** @throws LETHE_USAGE_UNKNOWN_CLIENT */
export function requireClient(database: DatabaseSync, client: string): ClientRow {
  const known = readClient(database, client);
  if (known) return known;
  throw new LetheError(
    "usage",
    "USAGE_UNKNOWN_CLIENT",
    `Expected a client that took part in a round, got "${client}".`,
    { details: { client } },
  );
}

/** Erases the clients whose keys were destroyed: by a process that ended before it was done, or since this copy was made. */
export function eraseUnreadable(database: DatabaseSync, path: string, vault: Vault): void {
  for (const client of readNames(database).values()) {
    if (vault.reach(client) === "destroyed" && !readClient(database, client)?.erased)
      eraseEntries(database, path, client);
  }
}

/**
 * Writes the file anew without the pages that erasures freed, and empties the log, if an erasure asked for it. A process
 * that ends before this has finished leaves the note, and the next writer does it.
 *
 * @throws LETHE_TRANSIENT_BUSY while a reader keeps the log from being emptied
 */
export function finishErasure(database: DatabaseSync, path: string): void {
  guarded(path, () => {
    if (!first(database, "SELECT 1 FROM cleanup")) return;
    database.exec("VACUUM");
    emptyLog(database, path);
    database.exec("DELETE FROM cleanup");
    emptyLog(database, path);
  });
}

function emptyLog(database: DatabaseSync, path: string): void {
  const outcome = first<{ readonly busy: number }>(database, "PRAGMA wal_checkpoint(TRUNCATE)");
  if (outcome?.busy === 0) return;
  throw new LetheError(
    "transient",
    "TRANSIENT_BUSY",
    `The erasure in ${path} is recorded, but a reader keeps the log from being emptied. Close readers and open the ` +
      "history again to finish.",
    { details: { path } },
  );
}
