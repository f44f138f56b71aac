import type { ClientId } from "../../../kernel/client-id.ts";
import type { HistoryReader, HistoryRound, RecordedUpdate } from "../history-reader.ts";

/** A round as a test writes it down. */
export interface WrittenRound {
  readonly participants: readonly RecordedUpdate[];
  readonly unrecorded?: readonly { readonly client: ClientId; readonly weight: number }[];
}

/** A history in memory that behaves as the strictest store may: one set of arrays, spoilt before every next round. */
export interface RecordedHistory extends HistoryReader {
  /** Rounds handed out, by all streams. */
  readonly roundsRead: number;
}

/** Wraps written rounds as a reader that reuses its arrays and fills them with NaN between rounds. */
export function recordedHistory(rounds: readonly WrittenRound[]): RecordedHistory {
  let roundsRead = 0;
  return {
    rounds: rounds.length,
    get roundsRead() {
      return roundsRead;
    },
    async *read({ wants, clients } = {}) {
      let lent: Float32Array[] = [];
      for (const [round, written] of rounds.entries()) {
        if (wants?.(round) === false) continue;
        roundsRead++;
        const chosen = written.participants.filter(({ client }) => clients?.has(client) ?? true);
        const buffers: Float32Array[] = [];
        const participants = chosen.map((participant, i): RecordedUpdate => {
          const update = lent[i] ?? new Float32Array(participant.update.length);
          update.set(participant.update);
          buffers.push(update);
          return { ...participant, update };
        });
        const { unrecorded } = written;
        yield {
          round,
          participants,
          ...(unrecorded === undefined ? {} : { unrecorded }),
        } satisfies HistoryRound;
        for (const buffer of buffers) buffer.fill(Number.NaN);
        lent = buffers;
      }
    },
  };
}
