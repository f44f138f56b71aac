import { type FindRecord, openRound } from "../../history/decode-round.ts";
import type { RoundEntries, RoundEntry } from "../../history/entry.ts";
import { quantiserByWireId } from "../../history/quantisers/index.ts";
import { readRecord } from "../../history/record.ts";
import type { HistoryReader as Store } from "../../history/store.ts";
import { clientId } from "../../kernel/client-id.ts";
import type { ModelLayout } from "../../kernel/layout.ts";
import type { HistoryReader, HistoryRound, HistorySelection, RecordedUpdate } from "./history-reader.ts";

/** A store's history as the unlearning rules read it: normalised weights, decoded updates, the codec's known error. */
export async function storedHistory(store: Store): Promise<HistoryReader> {
  const rounds = (await store.rounds()).length;
  return { rounds, read: (selection) => decodeRounds(store, selection ?? {}) };
}

async function* decodeRounds(
  store: Store,
  { wants, clients }: HistorySelection,
): AsyncGenerator<HistoryRound> {
  const { layout } = store.header;
  const lastRecords = new Map<string, Uint8Array>();
  const arrays: Float32Array[] = [];
  for await (const stored of store.readEntries()) {
    // `held` entries refer to the client's last record, which this stream has passed.
    const find: FindRecord = (_round, client) => lastRecords.get(client);
    if (wants === undefined || wants(stored.round)) {
      const selected = stored.entries.filter(
        ({ client }) => clients === undefined || clients.has(clientId(client)),
      );
      while (arrays.length < selected.length) arrays.push(new Float32Array(layout.length));
      yield decodeRound(stored, selected, store, find, arrays);
    }
    for (const { client, record } of stored.entries)
      if (record !== undefined) lastRecords.set(client, record);
  }
}

function decodeRound(
  stored: RoundEntries,
  selected: readonly RoundEntry[],
  store: Store,
  find: FindRecord,
  arrays: readonly Float32Array[],
): HistoryRound {
  const { header } = store;
  const decoder = openRound(stored, header, header.codec, find);
  const present = stored.entries.filter(({ status }) => status !== "absent" && status !== "erased");
  const total = present.reduce((sum, { weight }) => sum + weight, 0);
  const participants: RecordedUpdate[] = [];
  for (const [index, entry] of selected.entries()) {
    const update = arrays[index] as Float32Array;
    if (!decoder.decode(entry, update)) continue;
    // An `average` has no dither of its own: the mean's is in every update of its round and cancels in their differences.
    const held = entry.status === "held" && entry.reference !== undefined;
    const record = held ? find(entry.reference, entry.client) : entry.record;
    const errorVariance = record && codecVariance(record, stored.round, entry, header.layout);
    participants.push({
      client: clientId(entry.client),
      weight: entry.weight / total,
      update,
      ...(errorVariance === undefined ? {} : { errorVariance }),
    });
  }
  const unrecorded = present
    .filter(({ status }) => status === "unsampled")
    .map(({ client, weight }) => ({ client: clientId(client), weight: weight / total }));
  return { round: stored.round, participants, unrecorded };
}

/** σ² of a dithered record per slot: a fixed share of step² for parameters, none for the exact buffers. */
function codecVariance(
  record: Uint8Array,
  round: number,
  entry: RoundEntry,
  layout: ModelLayout,
): Float64Array | undefined {
  const parts = readRecord(record, { round: entry.reference ?? round, client: entry.client });
  const share = quantiserByWireId(parts.quantiser)?.errorPerSquaredStep;
  if (share === undefined) return undefined;
  return Float64Array.from(layout.slots, ({ role }) => (role === "parameter" ? share * parts.step ** 2 : 0));
}
