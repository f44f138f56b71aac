import type { ClientId } from "../../kernel/client-id.ts";
import type { HistoryReader } from "./history-reader.ts";

/** The recorded update of one client that lies nearest in time. */
export interface NearestUpdate {
  /**
   * The update recorded nearest to `round`, the earlier one when two are equally near; `undefined` when the client was
   * never recorded. Ask in ascending order of rounds; the array is valid until the next call.
   */
  at(round: number): Promise<Float32Array | undefined>;
  /** Updates decoded so far. */
  readonly recordsRead: number;
}

/**
 * Follows one client through the history, decoding nobody else: a stand-in for rounds that did not record it. Holds two
 * updates, whatever the length of the history.
 */
export function nearestUpdate(history: HistoryReader, client: ClientId): NearestUpdate {
  const records = updatesOf(history, client);
  let before: Recorded | undefined;
  let after: Recorded | undefined;
  let isAtEnd = false;
  let recordsRead = 0;

  const moveOn = async (): Promise<void> => {
    const next = await records.next();
    before = after ?? before;
    after = next.done ? undefined : next.value;
    isAtEnd = next.done === true;
    if (!isAtEnd) recordsRead++;
  };
  return {
    get recordsRead() {
      return recordsRead;
    },
    async at(round) {
      while (!isAtEnd && (after === undefined || after.round < round)) await moveOn();
      if (before === undefined || after === undefined) return (before ?? after)?.update;
      return after.round - round < round - before.round ? after.update : before.update;
    },
  };
}

interface Recorded {
  readonly round: number;
  readonly update: Float32Array;
}

async function* updatesOf(history: HistoryReader, client: ClientId): AsyncGenerator<Recorded> {
  for await (const { round, participants } of history.read({ clients: new Set([client]) })) {
    const record = participants.find((participant) => participant.client === client);
    if (record !== undefined) yield { round, update: record.update.slice() };
  }
}
