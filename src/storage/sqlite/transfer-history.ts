import { existsSync, rmSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import type { VerifyReport } from "../../history/store.ts";
import { LetheError } from "../../kernel/errors.ts";
import type { ClientKeys } from "../encryption/client-keys.ts";
import { readContainer, writeContainer } from "../history-container.ts";
import { guarded, inSnapshot, openDatabase } from "./database.ts";
import { type HistoryItem, insertItem, readItems } from "./history-items.ts";
import { readHeader } from "./history-rows.ts";
import { createWith, expectHistory } from "./history-store.ts";
import { vaultOf } from "./vault.ts";
import { verifyHistory } from "./verify-history.ts";

/**
 * Checks a history and writes it as one language-neutral file (docs/history-format.md, section 8). What is encrypted stays so.
 *
 * @throws LETHE_INTEGRITY_… for a damaged history, LETHE_TRANSIENT_WRITE
 */
export function exportHistory(path: string, out: string, keys?: ClientKeys): VerifyReport {
  return withReadOnly(path, (database) => {
    const { header, digest } = readHeader(database);
    const report = verifyHistory(database, vaultOf(header.codec, digest, keys));
    writeContainer(out, readItems(database));
    return report;
  });
}

/**
 * Makes a history of an exported file and checks it; the chain ends with the digest it had.
 *
 * @throws LETHE_DATA_CONTAINER, LETHE_USAGE_HISTORY_EXISTS, LETHE_INTEGRITY_…; nothing is left then
 */
export async function importHistory(file: string, out: string, keys?: ClientKeys): Promise<VerifyReport> {
  return createFromItems(out, readContainer(file), keys);
}

/** A new, checked history of the given items; nothing is left where one of them cannot be had or does not fit. */
export async function createFromItems(
  path: string,
  items: Iterable<HistoryItem>,
  keys?: ClientKeys,
): Promise<VerifyReport> {
  if (existsSync(path)) {
    throw new LetheError(
      "usage",
      "USAGE_HISTORY_EXISTS",
      `Expected no file at ${path}. Choose another path.`,
      {
        details: { path },
      },
    );
  }
  try {
    const fill = (database: DatabaseSync): void => {
      for (const item of items) insertItem(database, item);
    };
    const history = createWith(path, fill, { keys });
    try {
      await history.compact();
      return await history.verify();
    } finally {
      await history.close();
    }
  } catch (error) {
    for (const suffix of ["", "-wal", "-shm", "-writer"]) rmSync(`${path}${suffix}`, { force: true });
    throw error;
  }
}

/** Runs `work` on a history's database, opened for reading. */
export function withReadOnly<Result>(path: string, work: (database: DatabaseSync) => Result): Result {
  const database = openDatabase(path, { readOnly: true });
  try {
    expectHistory(database, path);
    return guarded(path, () => inSnapshot(database, () => work(database)));
  } finally {
    database.close();
  }
}
