import { openRound } from "../../../history/decode-round.ts";
import type { RoundEntries } from "../../../history/entry.ts";
import type { HistoryHeader } from "../../../history/store.ts";
import { createWorkspace } from "../../../history/workspace.ts";

/** What decoding takes of a history's header. */
export type DecodingHeader = Pick<HistoryHeader, "layout" | "key" | "codec">;

/** Updates of one round to decode. */
export interface UndecodedRound extends RoundEntries {
  /** Records of earlier rounds by client and round, for entries that are `held` and records that were rotated. */
  readonly earlier: ReadonlyMap<string, ReadonlyMap<number, Uint8Array>>;
}

/** Decodes rounds, in this thread or in others. Disposing of it ends the others. */
export interface RoundDecoding extends AsyncDisposable {
  /** Rounds worth beginning before they are needed: none where decoding keeps the caller waiting anyway. */
  readonly roundsAhead: number;
  /** An array that {@link decode} can fill; [layout.length]. */
  createArray(): Float32Array;
  /**
   * Decodes every entry of a round.
   *
   * @param out - one array an entry, not to be read before the promise is settled
   * @throws LETHE_INTEGRITY_… for the first entry that is damaged
   */
  decode(round: UndecodedRound, out: readonly Float32Array[]): Promise<void>;
}

/** Decodes in this thread. */
export function inlineDecoding(header: DecodingHeader): RoundDecoding {
  const open = roundOpener(header);
  return {
    roundsAhead: 0,
    createArray: () => new Float32Array(header.layout.length),
    async decode(round, out) {
      const decodeEntry = open(round, out);
      for (const index of round.entries.keys()) decodeEntry(index);
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** Opens a round for decoding its entries by number; the one place where the records of a history are decoded. */
export function roundOpener(
  header: DecodingHeader,
): (round: UndecodedRound, out: readonly Float32Array[]) => (index: number) => void {
  const workspace = createWorkspace();
  return (round, out) => {
    const { entries, earlier } = round;
    const decoder = openRound(
      round,
      header,
      header.codec,
      (at, client) => earlier.get(client)?.get(at),
      workspace,
    );
    return (index) => {
      const [entry, array] = [entries[index], out[index]];
      if (entry !== undefined && array !== undefined) decoder.decode(entry, array);
    };
  };
}
