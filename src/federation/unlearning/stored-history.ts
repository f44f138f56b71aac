import { availableParallelism } from "node:os";
import { leansOnEarlier } from "../../history/config.ts";
import type { RoundEntries, RoundEntry } from "../../history/entry.ts";
import { errorVariance } from "../../history/pipeline.ts";
import { readRecord } from "../../history/record.ts";
import { FULL } from "../../history/retention.ts";
import type { HistoryHeader, HistoryReader as StoreReader } from "../../history/store.ts";
import { clientId } from "../../kernel/client-id.ts";
import { inlineDecoding, type RoundDecoding, type UndecodedRound } from "./decoding/round-decoding.ts";
import { workerDecoding } from "./decoding/worker-decoding.ts";
import type { HistoryReader, HistoryRound, HistorySelection, RecordedUpdate } from "./history-reader.ts";
import { storedSums } from "./stored-sums.ts";

/** With two the rules' own arithmetic takes as long as decoding. */
const MOST_WORKERS = 2;
/** Below this many numbers a history is decoded before workers have started. */
const SMALL_HISTORY = 10e6;

/** What is read of a store. */
type Store = Pick<StoreReader, "header" | "rounds" | "clients" | "readEntries" | "auxiliary">;

/** How a history is decoded. */
export interface DecodingOptions {
  /** Threads that decode besides this one; by the size of the history when left out. */
  readonly workers?: number;
}

/**
 * A store's history as the unlearning rules read it: normalised weights, decoded updates, the codec's known error. A large
 * one is decoded a round ahead in worker threads, which end when the reader is disposed of; one round more is in memory
 * then.
 */
export async function storedHistory(
  store: Store,
  options: DecodingOptions = {},
): Promise<HistoryReader & AsyncDisposable> {
  const { header } = store;
  const rounds = (await store.rounds()).length;
  const numbers = rounds * (await store.clients()).length * header.layout.length;
  const workers = options.workers ?? workersFor(numbers);
  const decoding = workers === 0 ? inlineDecoding(header) : workerDecoding(header, workers);
  const spare: Float32Array[] = [];
  return {
    rounds,
    retention: header.codec.retention ?? FULL,
    sums: storedSums(store),
    read: (selection) => decodeRounds(store, decoding, spare, selection ?? {}),
    [Symbol.asyncDispose]: () => decoding[Symbol.asyncDispose](),
  };
}

function workersFor(numbers: number): number {
  const cores = availableParallelism();
  return numbers < SMALL_HISTORY || cores === 1 ? 0 : Math.min(cores, MOST_WORKERS);
}

/** A round whose decoding has begun. */
interface BegunRound {
  readonly stored: RoundEntries;
  readonly undecoded: UndecodedRound;
  readonly arrays: readonly Float32Array[];
  readonly decoded: Promise<void>;
}

/** @param spare - arrays that no stream uses */
async function* decodeRounds(
  store: Store,
  decoding: RoundDecoding,
  spare: Float32Array[],
  selection: HistorySelection,
): AsyncGenerator<HistoryRound> {
  const begun: BegunRound[] = [];
  const begin = (stored: RoundEntries, undecoded: UndecodedRound): void => {
    const arrays = undecoded.entries.map(() => spare.pop() ?? decoding.createArray());
    const decoded = decoding.decode(undecoded, arrays);
    // It may fail before anybody waits for it, and is waited for below.
    decoded.catch(() => {});
    begun.push({ stored, undecoded, arrays, decoded });
  };
  async function* finish(count: number): AsyncGenerator<HistoryRound> {
    for (const round of begun.slice(0, count)) {
      await round.decoded;
      yield decodedRound(round, store.header);
      begun.shift();
      spare.push(...round.arrays);
    }
  }
  for await (const { stored, undecoded } of undecodedRounds(store, selection)) {
    begin(stored, undecoded);
    yield* finish(begun.length - decoding.roundsAhead);
  }
  yield* finish(begun.length);
}

interface PassedRecord {
  readonly round: number;
  readonly record: Uint8Array;
}

/** The entries of a selection that hold an update, with the earlier records that they refer to. */
async function* undecodedRounds(
  store: Store,
  { wants, clients }: HistorySelection,
): AsyncGenerator<{ readonly stored: RoundEntries; readonly undecoded: UndecodedRound }> {
  // Entries refer to the client's last record, and that to the last that stands by itself: this stream has passed both.
  const [last, byThemselves] = [new Map<string, PassedRecord>(), new Map<string, PassedRecord>()];
  const hasTransform = leansOnEarlier(store.header.codec);
  const isTransformed = (round: number, client: string, record: Uint8Array): boolean =>
    hasTransform && readRecord(record, { round, client }).stages.reference !== undefined;
  for await (const stored of store.readEntries()) {
    const { round, mean } = stored;
    if (wants === undefined || wants(round)) {
      const entries = stored.entries.filter(
        (entry) => isRecorded(entry) && (clients === undefined || clients.has(clientId(entry.client))),
      );
      const earlier = new Map(
        entries.map(({ status, client }) => {
          const held = status === "held" ? last.get(client) : undefined;
          const reference = hasTransform ? byThemselves.get(client) : undefined;
          const passed = [held, reference].flatMap((one) => (one ? [[one.round, one.record] as const] : []));
          return [client, new Map(passed)] as const;
        }),
      );
      yield { stored, undecoded: { round, mean, entries, earlier } };
    }
    for (const { client, record } of stored.entries) {
      if (record === undefined) continue;
      last.set(client, { round, record });
      if (!isTransformed(round, client, record)) byThemselves.set(client, { round, record });
    }
  }
}

function isRecorded({ status }: RoundEntry): boolean {
  return status === "stored" || status === "held" || status === "average";
}

function decodedRound(
  { stored, undecoded, arrays }: BegunRound,
  header: Pick<HistoryHeader, "layout" | "codec">,
): HistoryRound {
  const { round, entries, earlier } = undecoded;
  const present = stored.entries.filter(({ status }) => status !== "absent" && status !== "erased");
  const total = present.reduce((sum, { weight }) => sum + weight, 0);
  const participants = entries.map((entry, index): RecordedUpdate => {
    // An `average` has no dither of its own: the mean's is in every update of its round and cancels in their differences.
    const record = entry.record ?? earlier.get(entry.client)?.get(entry.reference ?? round);
    const errorVariance = record && codecVariance(record, round, entry, header);
    return {
      client: clientId(entry.client),
      weight: entry.weight / total,
      update: arrays[index] as Float32Array,
      ...(errorVariance === undefined ? {} : { errorVariance }),
    };
  });
  const unrecorded = present
    .filter(({ status }) => status === "unsampled" || status === "dropped")
    .map(({ client, weight }) => ({ client: clientId(client), weight: weight / total }));
  return { round, participants, unrecorded };
}

/** σ² of a dithered record per slot: that of its quantiser for parameters, none for the exact buffers. */
function codecVariance(
  record: Uint8Array,
  round: number,
  entry: RoundEntry,
  { layout, codec }: Pick<HistoryHeader, "layout" | "codec">,
): Float64Array | undefined {
  const own = errorVariance(readRecord(record, { round: entry.reference ?? round, client: entry.client }));
  if (own === undefined) return undefined;
  // With feedback a record also holds the residual of the one before, of about the same variance.
  const variance = own * (codec.feedback === undefined ? 1 : 1 + (1 + codec.feedback.alpha) ** 2);
  return Float64Array.from(layout.slots, ({ role }) => (role === "parameter" ? variance : 0));
}
