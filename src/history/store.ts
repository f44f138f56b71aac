import type { Json } from "../kernel/canonical-json.ts";
import type { Digest } from "../kernel/digest.ts";
import type { Key } from "../kernel/key.ts";
import type { ModelLayout } from "../kernel/layout.ts";
import type { CodecConfig } from "./config.ts";
import type { Participant } from "./encode-round.ts";
import type { EntryStatus, RoundEntries } from "./entry.ts";

/** What never changes in a history. */
export interface HistoryHeader {
  readonly layout: ModelLayout;
  readonly codec: CodecConfig;
  /** Key of the codec's dithers and draws. Whoever reads the records needs it; it is kept in the store. */
  readonly key: Key;
  /** Facts about the training that readers want, such as learning rate and local steps. */
  readonly facts: Json;
  /** Global weights before the first round, exact. [layout.length] */
  readonly initialWeights: Float32Array;
}

/** A finished round, to be stored whole or not at all. */
export interface RoundInput {
  /** Above every earlier round's number. */
  readonly round: number;
  readonly participants: readonly (Participant & {
    /** Vectors whose running mean over rounds is kept per client, such as Adam's second moments. */
    readonly auxiliary?: Readonly<Record<string, Float32Array>>;
  })[];
  /** Global weights after the round, exact. Only the last are kept. [layout.length] */
  readonly weights: Float32Array;
  readonly metadata?: Json;
  /** Rate of this round's records in place of the codec's; readers need not know it. */
  readonly rate?: { readonly bitsPerParameter: number } | undefined;
  /** The caller's state for resuming after this round. Only the last is kept. */
  readonly checkpoint?: Uint8Array;
}

/** Acknowledgement: the round is on disk. */
export interface RoundReceipt {
  readonly round: number;
  /** Digest of this round and all before it. */
  readonly digest: Digest;
  /** Bytes of the round's records. */
  readonly recordBytes: number;
  readonly statuses: Readonly<Record<string, EntryStatus>>;
}

/** A round without its updates. */
export interface RoundSummary {
  readonly round: number;
  readonly metadata: Json;
  readonly digest: Digest;
}

/** A round as it is stored. */
export interface StoredRound extends RoundEntries {
  readonly metadata: Json;
}

/** Which rounds and clients to read; everything without it. */
export interface Selection {
  /** First round, inclusive. */
  readonly from?: number;
  /** Last round, inclusive. */
  readonly to?: number;
  readonly clients?: readonly string[];
}

/** A client of a decoded round. */
export interface DecodedParticipant {
  readonly client: string;
  /** As given when the round was accepted; not normalised. */
  readonly weight: number;
  readonly status: EntryStatus;
  /**
   * [layout.length], undefined where nothing is stored. The array is used again for the next round: copy what is to
   * stay.
   */
  readonly update: Float32Array | undefined;
}

/** A round with its updates decoded. */
export interface DecodedRound {
  readonly round: number;
  readonly metadata: Json;
  readonly participants: readonly DecodedParticipant[];
}

/** Where to go on after the last accepted round. */
export interface ResumeState {
  readonly round: number;
  readonly weights: Float32Array;
  readonly checkpoint: Uint8Array | undefined;
}

/** Outcome of a complete check. */
export interface VerifyReport {
  readonly rounds: number;
  /** Records whose checksum, digest and content were checked. */
  readonly records: number;
  /** Encrypted records without a key at hand: of these the digest was checked, and not the content. */
  readonly sealed: number;
  /** Entries of erased clients, of which only digests are left. */
  readonly erased: number;
  /** Entries whose records left the window or were taken out by a repair. */
  readonly dropped: number;
  /** Parts that a repair left without a check, such as `round 3`; none where there never was a repair. */
  readonly trusted: readonly string[];
  /** Digest of the last round, or of the header before the first. */
  readonly head: Digest;
}

/** What the history costs. Bytes on disk are those of all files after the log is folded in. */
export interface StorageReport {
  readonly bytesOnDisk: number;
  /** Initial and final weights, exact: kept whatever the codec. */
  readonly weightBytes: number;
  readonly checkpointBytes: number;
  readonly auxiliaryBytes: number;
  /** Sums of the modes that keep them. */
  readonly sumBytes: number;
  /** Records in all, and what they consist of. */
  readonly recordBytes: number;
  readonly symbolBytes: number;
  readonly supportBytes: number;
  readonly bufferBytes: number;
  readonly envelopeBytes: number;
  /** Of encrypted records: what encryption adds to those whose key is at hand, and all of the others. */
  readonly sealedBytes: number;
  /** Client and round pairs by status. */
  readonly entries: Readonly<Record<EntryStatus, number>>;
  /** Bytes of the same updates as float32: those present, whether sampled, and still there, or not. */
  readonly rawBytes: number;
  /** 8 · (bytes on disk − weights − checkpoint − auxiliary) / (parameters and buffers · updates present). */
  readonly bitsPerParameter: number;
}

/** What an erasure did. */
export interface ErasureReceipt {
  readonly client: string;
  /** Rounds in which the client had an entry. */
  readonly rounds: number;
  readonly recordBytes: number;
}

/** Reading a history. */
export interface HistoryReader {
  readonly header: HistoryHeader;
  /** Digest of the header, first link of the chain. */
  readonly genesis: Digest;
  rounds(): Promise<readonly RoundSummary[]>;
  /** Every client that ever had an entry, in order of appearance. */
  clients(): Promise<readonly { readonly client: string; readonly erased: boolean }[]>;
  /** Undecoded rounds, for callers that decode in workers with `openRound`. */
  readEntries(selection?: Selection): AsyncGenerator<StoredRound, void, void>;
  /** Decoded rounds in order; memory holds one round. */
  readRounds(selection?: Selection): AsyncGenerator<DecodedRound, void, void>;
  /** One decoded update, undefined where nothing is stored. */
  decode(round: number, client: string): Promise<Float32Array | undefined>;
  /** Record of a round and client, undefined where there is none. */
  record(round: number, client: string): Promise<Uint8Array | undefined>;
  /** State after the last round, undefined before the first. */
  resume(): Promise<ResumeState | undefined>;
  /** Running mean of an auxiliary vector of a client. */
  auxiliary(
    client: string,
    name: string,
  ): Promise<{ readonly mean: Float32Array; readonly count: number } | undefined>;
  /**
   * Checks every checksum, decodes every record and follows the chain of digests.
   *
   * @throws LETHE_INTEGRITY_… naming what is damaged
   */
  verify(): Promise<VerifyReport>;
  storage(): Promise<StorageReport>;
  /** Bytes in use, without those of the file that are free for the next round. */
  usedBytes(): Promise<number>;
  close(): Promise<void>;
}

/** A round to begin. */
export interface RoundOrder extends Pick<RoundInput, "round" | "rate"> {
  /** Who will be added, where it is known: keys of an encrypted history are then made all at once. */
  readonly clients?: readonly string[];
}

/** A round that is being written, update by update. */
export interface RoundWriter {
  /**
   * Adds a client. The update may be written to again when the promise resolves, unless the codec looks at a round as a whole
   * (κ < 1, thresholds `mean` and `element`, sums): then all updates are kept until the end.
   *
   * @throws LETHE_USAGE_CLIENT_ERASED, LETHE_USAGE_ROUND_ENDED
   */
  add(participant: RoundInput["participants"][number]): Promise<void>;
  /**
   * Stores the round: all of it is on disk when the promise resolves, nothing of it when it rejects.
   *
   * @throws as {@link History.acceptRound}
   */
  finish(end: Pick<RoundInput, "weights" | "metadata" | "checkpoint">): Promise<RoundReceipt>;
  /** Gives the round up, unless it is finished. */
  abandon(): void;
}

/** A history that is being written. One writer at a time; readers may run beside it. */
export interface History extends HistoryReader {
  /**
   * Stores a round: all of it is on disk when the promise resolves, nothing of it when it rejects.
   *
   * @throws LETHE_USAGE_ROUND_ORDER, LETHE_NUMERIC_UPDATE, LETHE_TRANSIENT_DISK_FULL
   */
  acceptRound(input: RoundInput): Promise<RoundReceipt>;
  /**
   * Begins a round whose updates come one by one, for rounds that do not fit in memory at once. Until it is finished or
   * abandoned nothing else is written, and nothing of it is on disk.
   *
   * @throws LETHE_USAGE_ROUND_ORDER, LETHE_USAGE_CLIENT_ERASED
   */
  beginRound(order: RoundOrder): Promise<RoundWriter>;
  /**
   * Removes everything that is stored of a client, and the file space that held it. Digests of what was removed stay,
   * so that the chain can still be followed. The weights, the round means of `mean` and `element` thresholding, and the
   * caller's checkpoint and metadata are the caller's to replace: they are sums that include the client.
   */
  eraseClient(client: string): Promise<ErasureReceipt>;
  /** Gives back the file space of replaced weights and checkpoints: for when training has ended. */
  compact(): Promise<void>;
}
