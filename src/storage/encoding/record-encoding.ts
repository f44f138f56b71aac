import type { CodecConfig } from "../../history/config.ts";
import {
  type EarlierRecords,
  type EncodedRound,
  encodeRound,
  type Participant,
} from "../../history/encode-round.ts";
import type { RoundEntry } from "../../history/entry.ts";
import type { HistoryHeader } from "../../history/store.ts";
import { createWorkspace } from "../../history/workspace.ts";

/** What coding takes of a history's header. */
export type EncodingHeader = Pick<HistoryHeader, "layout" | "key" | "codec">;

/** What a round's updates are coded with. */
interface RoundTask {
  readonly round: number;
  /** In place of the codec's rate. */
  readonly rate?: CodecConfig["rate"] | undefined;
  readonly earlier: EarlierRecords;
}

/** One update to code. */
export interface UpdateTask extends RoundTask {
  readonly participant: Participant;
}

/** A coded update. */
export interface CodedUpdate {
  readonly entry: RoundEntry;
  /** With feedback, in place of the client's earlier one. */
  readonly residual: Uint8Array | undefined;
}

/** Codes updates, in this thread or in others. Disposing of it ends the others. */
export interface RecordEncoding extends AsyncDisposable {
  /** Settles when another update can be taken: memory holds no more of them than there are threads, and one. */
  room(): Promise<void>;
  /** Codes one update, which may be written to again as soon as this returns. */
  encode(task: UpdateTask): Promise<CodedUpdate>;
  /** Codes a round whose records depend on each other, in this thread. */
  encodeRound(task: RoundTask & { readonly participants: readonly Participant[] }): EncodedRound;
}

/** Codes in this thread. */
export function inlineEncoding(header: EncodingHeader): RecordEncoding {
  const encodeWhole = roundEncoder(header);
  return {
    async room() {},
    async encode({ participant, ...task }) {
      return onlyUpdate(encodeWhole({ ...task, participants: [participant] }));
    },
    encodeRound: encodeWhole,
    async [Symbol.asyncDispose]() {},
  };
}

/** Codes rounds by a header; keeps its working arrays from one to the next. */
export function roundEncoder(header: EncodingHeader): RecordEncoding["encodeRound"] {
  const workspace = createWorkspace();
  return ({ round, participants, rate, earlier }) => {
    const codec = { ...header.codec, rate: rate ?? header.codec.rate };
    return encodeRound(round, participants, header, codec, earlier, workspace);
  };
}

/** The one update of a round that has no other. */
export function onlyUpdate({ entries, residuals }: EncodedRound): CodedUpdate {
  const entry = entries[0] as RoundEntry;
  return { entry, residual: residuals.get(entry.client) };
}
