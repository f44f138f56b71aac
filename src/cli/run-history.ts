import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { History, HistoryHeader } from "../history/store.ts";
import { canonicalJson } from "../kernel/canonical-json.ts";
import { isLetheError, LetheError } from "../kernel/errors.ts";
import type { ClientKeys } from "../storage/encryption/client-keys.ts";
import { createHistory, openHistory } from "../storage/sqlite/history-store.ts";

/**
 * Opens the history at a path: a new one, or the one a killed run of the same settings left there.
 *
 * @param keys - for an encrypted history
 * @throws LETHE_USAGE_OTHER_HISTORY when the file belongs to a run of other settings; LETHE_DATA_NOT_A_HISTORY for a foreign
 *   database
 */
export async function openRunHistory(
  path: string,
  header: HistoryHeader,
  keys?: ClientKeys,
): Promise<History> {
  mkdirSync(dirname(path), { recursive: true });
  if (!existsSync(path)) return createHistory(path, header, { keys });
  const history = await openOrFinishCreation(path, header, keys);
  if (summary(history.header) === summary(header)) return history;
  await history.close();
  throw new LetheError(
    "usage",
    "USAGE_OTHER_HISTORY",
    `Expected ${path} to belong to a run of these settings, got one of others. Choose another --out, or delete the file.`,
    { details: { path } },
  );
}

/** A run killed while it created its history left a file with nothing in it. */
async function openOrFinishCreation(
  path: string,
  header: HistoryHeader,
  keys: ClientKeys | undefined,
): Promise<History> {
  try {
    return await openHistory(path, { keys });
  } catch (error) {
    if (!isLetheError(error) || error.code !== "LETHE_DATA_NOT_A_HISTORY") throw error;
    return createHistory(path, header, { keys });
  }
}

/** What makes two histories the same run; the settings of unlearning are not part of it. */
function summary({ layout, codec, key, facts }: HistoryHeader): string {
  return canonicalJson({
    tensors: layout.slots.map(({ name, shape }) => ({ name, shape })),
    codec,
    key: [...key],
    facts,
  });
}
