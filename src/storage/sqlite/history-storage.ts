import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { MEAN } from "../../history/encode-round.ts";
import type { EntryStatus } from "../../history/entry.ts";
import { readRecord } from "../../history/record.ts";
import { REMOVAL_ERROR } from "../../history/removal-error.ts";
import type { HistoryHeader, StorageReport } from "../../history/store.ts";
import { first } from "./database.ts";
import { readEntryRows, readNames, readRoundRows, readState } from "./history-rows.ts";
import { STATUS_NUMBERS } from "./history-schema.ts";
import { isReachable, RECORD, type Vault } from "./vault.ts";

/** Counts what a history costs on disk, and what its records consist of. See `StorageReport`. */
export function reportStorage(
  database: DatabaseSync,
  path: string,
  header: HistoryHeader,
  vault: Vault,
): StorageReport {
  const parts = { recordBytes: 0, symbolBytes: 0, supportBytes: 0, bufferBytes: 0, sealedBytes: 0 };
  const entries = Object.fromEntries(Object.keys(STATUS_NUMBERS).map((status) => [status, 0])) as Record<
    EntryStatus,
    number
  >;
  const names = readNames(database);
  const count = (bytes: Uint8Array, round: number, client: string): void => {
    parts.recordBytes += bytes.length;
    if (!isReachable(vault, client, bytes)) {
      parts.sealedBytes += bytes.length;
      return;
    }
    const plain = client === MEAN ? bytes : vault.open(client, RECORD, round, bytes);
    parts.sealedBytes += bytes.length - plain.length;
    const record = readRecord(plain, { round, client });
    parts.symbolBytes += record.body.length;
    parts.supportBytes += record.support.length;
    parts.bufferBytes += 4 * record.buffers.length;
  };
  for (const { round, mean } of readRoundRows(database, {})) {
    if (mean) count(mean, round, MEAN);
    for (const { entry } of readEntryRows(database, round, names)) {
      entries[entry.status]++;
      if (entry.record) count(entry.record, round, entry.client);
    }
  }
  const state = readState(database);
  const bytesOnDisk = [path, `${path}-wal`].reduce((sum, file) => sum + sizeOf(file), 0);
  const weightBytes = header.initialWeights.byteLength + (state?.weights.length ?? 0);
  const checkpointBytes = state?.checkpoint?.length ?? 0;
  const sum = "SELECT coalesce(sum(length(mean)), 0) AS bytes FROM auxiliary WHERE (name = ?) = ?";
  const bytesOf = (ofSums: 0 | 1): number =>
    first<{ readonly bytes: number }>(database, sum, REMOVAL_ERROR, ofSums)?.bytes ?? 0;
  const auxiliaryBytes = bytesOf(0);
  const present = entries.stored + entries.held + entries.average + entries.unsampled + entries.dropped;
  const historyBytes = bytesOnDisk - weightBytes - checkpointBytes - auxiliaryBytes;
  return {
    bytesOnDisk,
    weightBytes,
    checkpointBytes,
    auxiliaryBytes,
    sumBytes: bytesOf(1),
    ...parts,
    envelopeBytes:
      parts.recordBytes - parts.sealedBytes - parts.symbolBytes - parts.supportBytes - parts.bufferBytes,
    entries,
    rawBytes: 4 * header.layout.length * present,
    bitsPerParameter: present === 0 ? 0 : (8 * historyBytes) / (header.layout.length * present),
  };
}

/** Pages that hold something, those of the log included. */
export function readUsedBytes(database: DatabaseSync): number {
  const read = (name: string): number =>
    first<Readonly<Record<string, number>>>(database, `PRAGMA ${name}`)?.[name] ?? 0;
  return (read("page_count") - read("freelist_count")) * read("page_size");
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
