import type { DatabaseSync } from "node:sqlite";
import type { EntryStatus } from "../../history/entry.ts";
import { canonicalJson, type Json } from "../../kernel/canonical-json.ts";
import type { Digest } from "../../kernel/digest.ts";
import { all, first } from "./database.ts";
import { readEntryRows, readNames, readRepairs, readRoundRows, readState } from "./history-rows.ts";
import { CLIENTS_PER_ROUND, REPAIRS_TABLE, STATUS_NUMBERS } from "./history-schema.ts";

/** One entry of a round as it travels: the client by its number. */
export interface ItemEntry {
  readonly client: number;
  readonly status: EntryStatus;
  readonly weight: number;
  readonly reference?: number | undefined;
  readonly digest?: string | undefined;
  readonly record?: Uint8Array | undefined;
}

/** A part of a history, small enough for memory: what is copied from one history into another, and in this order. */
export type HistoryItem =
  | {
      readonly type: "header";
      readonly layout: Json;
      readonly codec: Json;
      readonly facts: Json;
      readonly key: Uint8Array;
      readonly initialWeights: Uint8Array;
      readonly digest: string;
    }
  | { readonly type: "client"; readonly ordinal: number; readonly name: string; readonly erased: boolean }
  | {
      readonly type: "round";
      readonly round: number;
      readonly metadata: Json;
      readonly weightsDigest: string;
      readonly checkpointDigest?: string | undefined;
      readonly digest: string;
      readonly mean?: Uint8Array | undefined;
      readonly entries: readonly ItemEntry[];
    }
  | {
      readonly type: "state";
      readonly round: number;
      readonly weights: Uint8Array;
      readonly checkpoint?: Uint8Array | undefined;
    }
  | {
      readonly type: "auxiliary";
      readonly client: number;
      readonly name: string;
      readonly count: number;
      readonly mean: Uint8Array;
      readonly digest: string;
    }
  | { readonly type: "repair"; readonly part: string; readonly note: string };

/** A round's item. */
export type RoundItem = Extract<HistoryItem, { type: "round" }>;

/** Everything a history holds, one item in memory at a time. */
export function* readItems(database: DatabaseSync): Generator<HistoryItem, void, void> {
  yield* readHeadItems(database);
  yield* readRoundItems(database);
  yield* readTailItems(database);
}

/** The header and the clients. */
export function* readHeadItems(database: DatabaseSync): Generator<HistoryItem, void, void> {
  const header = first<{
    readonly layout: string;
    readonly codec: string;
    readonly facts: string;
    readonly key: Uint8Array;
    readonly initial_weights: Uint8Array;
    readonly digest: Digest;
  }>(database, "SELECT * FROM header");
  if (header) {
    yield {
      type: "header",
      layout: JSON.parse(header.layout) as Json,
      codec: JSON.parse(header.codec) as Json,
      facts: JSON.parse(header.facts) as Json,
      key: header.key,
      initialWeights: header.initial_weights,
      digest: header.digest,
    };
  }
  for (const client of all<{ ordinal: number; name: string; erased: number }>(
    database,
    "SELECT ordinal, name, erased FROM clients ORDER BY ordinal",
  )) {
    yield { type: "client", ordinal: client.ordinal, name: client.name, erased: client.erased === 1 };
  }
}

/** The rounds, in order. */
export function* readRoundItems(database: DatabaseSync): Generator<RoundItem, void, void> {
  const names = readNames(database);
  const ordinals = new Map(Array.from(names, ([ordinal, name]) => [name, ordinal]));
  for (const row of readRoundRows(database, {})) {
    const entries = readEntryRows(database, row.round, names).map(({ entry, digest }): ItemEntry => {
      const { client, ...rest } = entry;
      return { ...rest, client: ordinals.get(client) ?? 0, digest };
    });
    yield { type: "round", ...row, entries };
  }
}

/** The newest state, the running means and the notes of repairs. */
export function* readTailItems(database: DatabaseSync): Generator<HistoryItem, void, void> {
  const state = readState(database);
  if (state) yield { type: "state", ...state };
  for (const row of all<Omit<Extract<HistoryItem, { type: "auxiliary" }>, "type">>(
    database,
    "SELECT client, name, count, mean, digest FROM auxiliary ORDER BY client, name",
  )) {
    yield { type: "auxiliary", ...row };
  }
  for (const { part, note } of readRepairs(database)) yield { type: "repair", part, note };
}

/** Inserts an item into a history that is being made. */
export function insertItem(database: DatabaseSync, item: HistoryItem): void {
  const run = (sql: string, ...values: readonly (string | number | Uint8Array | null)[]): void => {
    database.prepare(sql).run(...values);
  };
  switch (item.type) {
    case "header": {
      const { layout, codec, facts, key, initialWeights, digest } = item;
      run(
        "INSERT INTO header (id, layout, codec, key, facts, initial_weights, digest) VALUES (1, ?, ?, ?, ?, ?, ?)",
        canonicalJson(layout),
        canonicalJson(codec),
        key,
        canonicalJson(facts),
        initialWeights,
        digest,
      );
      return;
    }
    case "client":
      run(
        "INSERT INTO clients (ordinal, name, erased) VALUES (?, ?, ?)",
        item.ordinal,
        item.name,
        item.erased ? 1 : 0,
      );
      return;
    case "round":
      run(
        "INSERT INTO rounds (round, metadata, mean, weights_digest, checkpoint_digest, digest) VALUES (?, ?, ?, ?, ?, ?)",
        item.round,
        canonicalJson(item.metadata),
        item.mean ?? null,
        item.weightsDigest,
        item.checkpointDigest ?? null,
        item.digest,
      );
      for (const entry of item.entries) insertEntry(run, item.round, entry);
      return;
    case "state":
      run(
        "INSERT INTO state (id, round, weights, checkpoint) VALUES (1, ?, ?, ?)",
        item.round,
        item.weights,
        item.checkpoint ?? null,
      );
      return;
    case "auxiliary":
      run(
        "INSERT INTO auxiliary (client, name, count, mean, digest) VALUES (?, ?, ?, ?, ?)",
        item.client,
        item.name,
        item.count,
        item.mean,
        item.digest,
      );
      return;
    case "repair":
      database.exec(REPAIRS_TABLE);
      run("INSERT OR REPLACE INTO repairs (part, note) VALUES (?, ?)", item.part, item.note);
      return;
    default:
      item satisfies never;
  }
}

function insertEntry(
  run: (sql: string, ...values: readonly (string | number | Uint8Array | null)[]) => void,
  round: number,
  { client, status, weight, reference, digest, record }: ItemEntry,
): void {
  run(
    "INSERT INTO entries (id, status, weight, reference, digest, record) VALUES (?, ?, ?, ?, ?, ?)",
    round * CLIENTS_PER_ROUND + client,
    STATUS_NUMBERS[status],
    weight,
    reference ?? null,
    digest ?? null,
    record ?? null,
  );
  if (record) run("UPDATE clients SET last_record_round = ? WHERE ordinal = ?", round, client);
}
