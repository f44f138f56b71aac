import type { DatabaseSync } from "node:sqlite";
import { codecConfigSchema } from "../../history/config.ts";
import type { EntryStatus, RoundEntry } from "../../history/entry.ts";
import type { HistoryHeader, Selection } from "../../history/store.ts";
import type { Json } from "../../kernel/canonical-json.ts";
import type { Digest } from "../../kernel/digest.ts";
import { LetheError } from "../../kernel/errors.ts";
import type { Key } from "../../kernel/key.ts";
import { layoutOf, type TensorLayout } from "../../kernel/layout.ts";
import { all, first } from "./database.ts";
import { CLIENTS_PER_ROUND, STATUS_NUMBERS } from "./history-schema.ts";

const STATUSES = Object.keys(STATUS_NUMBERS) as readonly EntryStatus[];

/** A round's row. */
export interface RoundRow {
  readonly round: number;
  readonly metadata: Json;
  readonly mean: Uint8Array | undefined;
  readonly weightsDigest: Digest;
  readonly checkpointDigest: Digest | undefined;
  readonly digest: Digest;
}

/** An entry, and for an erased one the digest that it had. */
export interface EntryRow {
  readonly entry: RoundEntry;
  readonly digest: Digest | undefined;
}

/** A client. */
export interface ClientRow {
  readonly ordinal: number;
  readonly erased: boolean;
  readonly lastRecordRound: number | undefined;
}

/** The newest state of the training. */
export interface StateRow {
  readonly round: number;
  readonly weights: Uint8Array;
  readonly checkpoint: Uint8Array | undefined;
}

interface HeaderColumns {
  readonly layout: string;
  readonly codec: string;
  readonly key: Uint8Array;
  readonly facts: string;
  readonly initial_weights: Uint8Array;
  readonly digest: Digest;
}

interface RoundColumns {
  readonly round: number;
  readonly metadata: string;
  readonly mean: Uint8Array | null;
  readonly weights_digest: Digest;
  readonly checkpoint_digest: Digest | null;
  readonly digest: Digest;
}

interface EntryColumns {
  readonly id: number;
  readonly status: number;
  readonly weight: number;
  readonly reference: number | null;
  readonly digest: Digest | null;
  readonly record: Uint8Array | null;
}

/** The bytes of float32 numbers, little-endian. */
export function floatBytes(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** The numbers of {@link floatBytes}, in memory of their own. */
export function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}

/** The header and the digest that it had when it was written. */
export function readHeader(database: DatabaseSync): {
  readonly header: HistoryHeader;
  readonly digest: Digest;
} {
  const row = first<HeaderColumns>(database, "SELECT * FROM header");
  if (!row) {
    throw new LetheError(
      "integrity",
      "INTEGRITY_HEADER",
      "Expected the history's header, got none. Restore a copy.",
    );
  }
  return { header: headerOf(row), digest: row.digest };
}

function headerOf(row: HeaderColumns): HistoryHeader {
  try {
    return {
      layout: layoutOf(JSON.parse(row.layout) as readonly TensorLayout[]),
      codec: codecConfigSchema.parse(JSON.parse(row.codec)),
      key: new Uint32Array(row.key.slice().buffer) as Key,
      facts: JSON.parse(row.facts) as Json,
      initialWeights: floatsOf(row.initial_weights),
    };
  } catch (cause) {
    throw new LetheError(
      "integrity",
      "INTEGRITY_HEADER",
      "Expected a readable header in the history, got a damaged one. Restore a copy.",
      { cause },
    );
  }
}

/** Rounds of a selection in order, one row in memory at a time. */
export function* readRoundRows(
  database: DatabaseSync,
  { from = 0, to = 2 ** 32 }: Selection,
): Generator<RoundRow> {
  // One query a round: nothing stays open between them, so that a writer and a checkpoint can get in between.
  const next = "SELECT * FROM rounds WHERE round >= ? AND round <= ? ORDER BY round LIMIT 1";
  for (let at = from; ; ) {
    const row = first<RoundColumns>(database, next, at, to);
    if (!row) return;
    yield {
      round: row.round,
      metadata: JSON.parse(row.metadata) as Json,
      mean: row.mean ?? undefined,
      weightsDigest: row.weights_digest,
      checkpointDigest: row.checkpoint_digest ?? undefined,
      digest: row.digest,
    };
    at = row.round + 1;
  }
}

/** A round's entries in the order of the clients' first appearance. */
export function readEntryRows(
  database: DatabaseSync,
  round: number,
  names: ReadonlyMap<number, string>,
): readonly EntryRow[] {
  const start = round * CLIENTS_PER_ROUND;
  const query = "SELECT * FROM entries WHERE id >= ? AND id < ? ORDER BY id";
  return all<EntryColumns>(database, query, start, start + CLIENTS_PER_ROUND).map((row) =>
    entryOf(row, names, round),
  );
}

/** One client's entry in a round. */
export function readEntryRow(
  database: DatabaseSync,
  round: number,
  ordinal: number,
  names: ReadonlyMap<number, string>,
): EntryRow | undefined {
  const id = round * CLIENTS_PER_ROUND + ordinal;
  const row = first<EntryColumns>(database, "SELECT * FROM entries WHERE id = ?", id);
  return row && entryOf(row, names, round);
}

/** The record of a round and client. */
export function readRecordBytes(
  database: DatabaseSync,
  round: number,
  ordinal: number,
): Uint8Array | undefined {
  const id = round * CLIENTS_PER_ROUND + ordinal;
  const row = first<Pick<EntryColumns, "record">>(database, "SELECT record FROM entries WHERE id = ?", id);
  return row?.record ?? undefined;
}

/** Names of all clients by number. */
export function readNames(database: DatabaseSync): ReadonlyMap<number, string> {
  const query = "SELECT ordinal, name FROM clients ORDER BY ordinal";
  const rows = all<{ readonly ordinal: number; readonly name: string }>(database, query);
  return new Map(rows.map(({ ordinal, name }) => [ordinal, name]));
}

/** A client's number and standing. */
export function readClient(database: DatabaseSync, name: string): ClientRow | undefined {
  const row = first<{
    readonly ordinal: number;
    readonly erased: number;
    readonly last_record_round: number | null;
  }>(database, "SELECT * FROM clients WHERE name = ?", name);
  return (
    row && {
      ordinal: row.ordinal,
      erased: row.erased === 1,
      lastRecordRound: row.last_record_round ?? undefined,
    }
  );
}

/** The state after the last round. */
export function readState(database: DatabaseSync): StateRow | undefined {
  const row = first<{
    readonly round: number;
    readonly weights: Uint8Array;
    readonly checkpoint: Uint8Array | null;
  }>(database, "SELECT * FROM state");
  return row && { round: row.round, weights: row.weights, checkpoint: row.checkpoint ?? undefined };
}

/** What repairs of this history took on trust, with a sentence on each. */
export function readRepairs(
  database: DatabaseSync,
): readonly { readonly part: string; readonly note: string }[] {
  if (!first(database, "SELECT 1 FROM sqlite_schema WHERE name = 'repairs'")) return [];
  return all(database, "SELECT part, note FROM repairs ORDER BY part");
}

function entryOf(row: EntryColumns, names: ReadonlyMap<number, string>, round: number): EntryRow {
  const client = names.get(row.id % CLIENTS_PER_ROUND);
  const status = STATUSES[row.status];
  if (client === undefined || status === undefined) {
    throw new LetheError(
      "integrity",
      "INTEGRITY_ENTRY",
      `Expected an entry of a known client in round ${round}, got row ${row.id}: the history is damaged.`,
      { details: { round } },
    );
  }
  const { weight } = row;
  const entry = {
    client,
    status,
    weight,
    reference: row.reference ?? undefined,
    record: row.record ?? undefined,
  };
  return { entry, digest: row.digest ?? undefined };
}
