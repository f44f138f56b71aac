import type { DatabaseSync } from "node:sqlite";
import type { History, HistoryReader } from "../../history/store.ts";
import type { RecordEncoding } from "../encoding/record-encoding.ts";
import { guarded } from "./database.ts";
import { eraseEntries, eraseUnreadable, finishErasure, requireClient } from "./erase-client.ts";
import { beginRound } from "./round-writer.ts";
import type { Vault } from "./vault.ts";

/** Adds writing to a reader of the same database. Finishes an interrupted erasure first, and those of destroyed keys. */
export function createWriter(
  database: DatabaseSync,
  path: string,
  reader: HistoryReader,
  vault: Vault,
  encoding: RecordEncoding,
): History {
  eraseUnreadable(database, path, vault);
  finishErasure(database, path);
  let previous: Promise<unknown> = Promise.resolve();
  /** What changes the file is done one after the other, in the order it was asked for. */
  const inTurn = <Result>(work: () => Promise<Result> | Result): Promise<Result> => {
    const result = previous.then(() => guarded(path, work));
    previous = result.catch(() => {});
    return result;
  };
  const history: History = {
    ...reader,

    async acceptRound({ participants, ...input }) {
      const { round, rate } = input;
      const clients = participants.map(({ client }) => client);
      const writer = await history.beginRound({ round, rate, clients });
      try {
        for (const participant of participants) await writer.add(participant);
        return await writer.finish(input);
      } finally {
        writer.abandon();
      }
    },

    beginRound(order) {
      return new Promise((resolve, reject) => {
        const turn = inTurn(async () => {
          const writer = guarded(path, () => beginRound(database, path, reader, vault, encoding, order));
          resolve(writer);
          await writer.ended;
        });
        turn.catch(reject);
      });
    },

    eraseClient(client) {
      return inTurn(() => {
        requireClient(database, client);
        // The key first: from here on the client cannot be read again, not from a backup either, whatever happens next.
        vault.destroy(client);
        const receipt = eraseEntries(database, path, client);
        finishErasure(database, path);
        return receipt;
      });
    },

    compact: () => inTurn(() => database.exec("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")),

    async storage() {
      guarded(path, () => database.exec("PRAGMA wal_checkpoint(TRUNCATE)"));
      return reader.storage();
    },

    async close() {
      await encoding[Symbol.asyncDispose]();
      await reader.close();
    },
  };
  return history;
}
