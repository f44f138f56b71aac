import type { DatabaseSync } from "node:sqlite";
import type { EarlierRecords } from "../../history/encode-round.ts";
import { first } from "./database.ts";
import { readClient, readRecordBytes } from "./history-rows.ts";
import { auxiliaryPart, RECORD, type Vault } from "./vault.ts";

/** Name of a client's residual among its auxiliary vectors: no caller's name begins so. */
export const RESIDUAL = "lethe:residual";
/** A residual stands for one record, the last. */
export const RESIDUAL_COUNT = 1;

/** What coding a round takes of those on disk. */
export function earlierRecords(database: DatabaseSync, vault: Vault): EarlierRecords {
  const openedRecord = (at: number, client: string, ordinal: number): Uint8Array | undefined => {
    const bytes = readRecordBytes(database, at, ordinal);
    return bytes && vault.open(client, RECORD, at, bytes);
  };
  return {
    last(client) {
      const known = readClient(database, client);
      if (known?.lastRecordRound === undefined) return undefined;
      const bytes = openedRecord(known.lastRecordRound, client, known.ordinal);
      return bytes && { round: known.lastRecordRound, bytes };
    },
    find(at, client) {
      const known = readClient(database, client);
      return known && openedRecord(at, client, known.ordinal);
    },
    residual(client) {
      const known = readClient(database, client);
      const query = "SELECT mean FROM auxiliary WHERE client = ? AND name = ?";
      const row = known && first<{ readonly mean: Uint8Array }>(database, query, known.ordinal, RESIDUAL);
      return row && vault.open(client, auxiliaryPart(RESIDUAL), RESIDUAL_COUNT, row.mean);
    },
  };
}
