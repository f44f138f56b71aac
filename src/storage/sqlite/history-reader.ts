import type { DatabaseSync } from "node:sqlite";
import { openRound } from "../../history/decode-round.ts";
import type { FindRecord } from "../../history/entry.ts";
import { unpackMean } from "../../history/running-mean.ts";
import type { HistoryHeader, HistoryReader, Selection, StoredRound } from "../../history/store.ts";
import { createWorkspace } from "../../history/workspace.ts";
import { first, guarded, inSnapshot } from "./database.ts";
import {
  floatsOf,
  readClient,
  readEntryRow,
  readEntryRows,
  readHeader,
  readNames,
  readRecordBytes,
  readRoundRows,
  readState,
} from "./history-rows.ts";
import { readUsedBytes, reportStorage } from "./history-storage.ts";
import { auxiliaryPart, openedEntry, RECORD, type Vault } from "./vault.ts";
import { verifyHistory } from "./verify-history.ts";

/**
 * Reads a history from an open database.
 *
 * @param path - of the file, for messages and sizes
 * @param vaultOf - decrypts what a history stores of clients
 * @param release - called when the reader is closed
 */
export function createReader(
  database: DatabaseSync,
  path: string,
  vaultOf: (header: HistoryHeader, genesis: string) => Vault,
  release: () => void,
): HistoryReader {
  const { header, digest: genesis } = guarded(path, () => readHeader(database));
  const vault = vaultOf(header, genesis);
  const { layout, codec } = header;
  const findRecord = (round: number, client: string): Uint8Array | undefined => {
    const known = readClient(database, client);
    const bytes = known && readRecordBytes(database, round, known.ordinal);
    return bytes && vault.open(client, RECORD, round, bytes);
  };

  async function* readEntries(selection: Selection = {}): AsyncGenerator<StoredRound, void, void> {
    const wanted = selection.clients && new Set(selection.clients);
    const rows = readRoundRows(database, selection);
    for (;;) {
      const next = guarded(path, () => rows.next());
      if (next.done) return;
      const { round, mean, metadata } = next.value;
      const entries = guarded(path, () => readEntryRows(database, round, readNames(database)))
        .filter(({ entry }) => wanted?.has(entry.client) ?? true)
        .map(({ entry }) => openedEntry(vault, round, entry));
      yield { round, metadata, mean, entries };
    }
  }

  return {
    header,
    genesis,

    async rounds() {
      return guarded(path, () =>
        Array.from(readRoundRows(database, {}), ({ round, metadata, digest }) => ({
          round,
          metadata,
          digest,
        })),
      );
    },

    async clients() {
      return guarded(path, () =>
        Array.from(readNames(database).values(), (client) => ({
          client,
          erased: vault.reach(client) === "destroyed" || (readClient(database, client)?.erased ?? false),
        })),
      );
    },

    readEntries,

    async *readRounds(selection) {
      const buffers: Float32Array[] = [];
      const workspace = createWorkspace();
      for await (const { round, metadata, mean, entries } of readEntries(selection)) {
        const find: FindRecord = (at, client) => guarded(path, () => findRecord(at, client));
        const decoder = openRound({ round, mean }, header, codec, find, workspace);
        const participants = entries.map((entry, index) => {
          const buffer = buffers[index] ?? new Float32Array(layout.length);
          buffers[index] = buffer;
          const { client, weight, status } = entry;
          return { client, weight, status, update: decoder.decode(entry, buffer) ? buffer : undefined };
        });
        yield { round, metadata, participants };
      }
    },

    async decode(round, client) {
      return guarded(path, () => {
        const known = readClient(database, client);
        const row = known && readEntryRow(database, round, known.ordinal, new Map([[known.ordinal, client]]));
        if (!row) return undefined;
        const [roundRow] = readRoundRows(database, { from: round, to: round });
        const update = new Float32Array(layout.length);
        const decoder = openRound({ round, mean: roundRow?.mean }, header, codec, findRecord);
        return decoder.decode(openedEntry(vault, round, row.entry), update) ? update : undefined;
      });
    },

    async record(round, client) {
      return guarded(path, () => findRecord(round, client));
    },

    async resume() {
      return guarded(path, () => {
        const state = readState(database);
        return (
          state && { round: state.round, weights: floatsOf(state.weights), checkpoint: state.checkpoint }
        );
      });
    },

    async auxiliary(client, name) {
      return guarded(path, () => {
        const row = first<{ readonly count: number; readonly mean: Uint8Array }>(
          database,
          "SELECT count, mean FROM auxiliary JOIN clients ON client = ordinal WHERE clients.name = ? AND auxiliary.name = ?",
          client,
          name,
        );
        if (!row || vault.reach(client) === "destroyed") return undefined;
        return {
          mean: unpackMean(vault.open(client, auxiliaryPart(name), row.count, row.mean)),
          count: row.count,
        };
      });
    },

    async verify() {
      return guarded(path, () => inSnapshot(database, () => verifyHistory(database, vault)));
    },

    async storage() {
      return guarded(path, () => reportStorage(database, path, header, vault));
    },

    async usedBytes() {
      return guarded(path, () => readUsedBytes(database));
    },

    async close() {
      database.close();
      release();
    },
  };
}
