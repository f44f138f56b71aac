import type { DatabaseSync } from "node:sqlite";
import { digestEntry, digestFloats, digestRound } from "../../history/chain.ts";
import { type EarlierRecords, encodeRound, unrecordedRound } from "../../history/encode-round.ts";
import type { RoundEntry } from "../../history/entry.ts";
import { FULL, sumsAlpha, windowOf } from "../../history/retention.ts";
import { updateMean } from "../../history/running-mean.ts";
import type { History, HistoryReader, RoundInput, RoundReceipt } from "../../history/store.ts";
import { createWorkspace, type Workspace } from "../../history/workspace.ts";
import { canonicalJson } from "../../kernel/canonical-json.ts";
import { type Digest, digestBytes } from "../../kernel/digest.ts";
import { LetheError } from "../../kernel/errors.ts";
import { first, guarded, inTransaction } from "./database.ts";
import { eraseEntries, eraseUnreadable, finishErasure, requireClient } from "./erase-client.ts";
import { floatBytes, readClient, readRecordBytes } from "./history-rows.ts";
import { CLIENTS_PER_ROUND, STATUS_NUMBERS } from "./history-schema.ts";
import { advanceErrors } from "./removal-sums.ts";
import { leaveWindow } from "./round-window.ts";
import { auxiliaryPart, RECORD, type Vault } from "./vault.ts";

/** Name of a client's residual among its auxiliary vectors: no caller's name begins so. */
const RESIDUAL = "lethe:residual";
/** A residual stands for one record, the last. */
const RESIDUAL_COUNT = 1;

/** Adds writing to a reader of the same database. Finishes an interrupted erasure first, and those of destroyed keys. */
export function createWriter(
  database: DatabaseSync,
  path: string,
  reader: HistoryReader,
  vault: Vault,
): History {
  eraseUnreadable(database, path, vault);
  finishErasure(database, path);
  const workspace = createWorkspace();
  return {
    ...reader,

    async acceptRound(input) {
      return guarded(path, () => acceptRound(database, path, reader, input, workspace, vault));
    },

    async eraseClient(client) {
      requireClient(database, client);
      // The key first: from here on the client cannot be read again, not from a backup either, whatever happens next.
      vault.destroy(client);
      const receipt = eraseEntries(database, path, client);
      finishErasure(database, path);
      return receipt;
    },

    async compact() {
      guarded(path, () => database.exec("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)"));
    },

    async storage() {
      guarded(path, () => database.exec("PRAGMA wal_checkpoint(TRUNCATE)"));
      return reader.storage();
    },
  };
}

function acceptRound(
  database: DatabaseSync,
  path: string,
  { header, genesis }: HistoryReader,
  input: RoundInput,
  workspace: Workspace,
  vault: Vault,
): RoundReceipt {
  checkRound(database, header.layout.length, input);
  vault.prepare(input.participants.map(({ client }) => client));
  const { round, metadata = null, checkpoint, weights } = input;
  const retention = header.codec.retention ?? FULL;
  const codec = { ...header.codec, rate: input.rate ?? header.codec.rate };
  const openedRecord = (at: number, client: string, ordinal: number): Uint8Array | undefined => {
    const bytes = readRecordBytes(database, at, ordinal);
    return bytes && vault.open(client, RECORD, at, bytes);
  };
  const earlier: Omit<EarlierRecords, "residual"> = {
    last(client) {
      const known = readClient(database, client);
      if (known?.lastRecordRound === undefined) return undefined;
      const bytes = openedRecord(known.lastRecordRound, client, known.ordinal);
      return bytes && { round: known.lastRecordRound, bytes };
    },
    find(at, client) {
      const known = readClient(database, client);
      return known && openedRecord(at, client, known.ordinal);
    },
  };
  const residual = (client: string): Uint8Array | undefined => {
    const known = readClient(database, client);
    const query = "SELECT mean FROM auxiliary WHERE client = ? AND name = ?";
    const row = known && first<{ readonly mean: Uint8Array }>(database, query, known.ordinal, RESIDUAL);
    return row && vault.open(client, auxiliaryPart(RESIDUAL), RESIDUAL_COUNT, row.mean);
  };
  const coded =
    windowOf(retention) === 0
      ? { ...unrecordedRound(round, input.participants), residuals: new Map<string, Uint8Array>() }
      : encodeRound(round, input.participants, header, codec, { ...earlier, residual }, workspace);
  const encoded = {
    ...coded,
    entries: coded.entries.map((entry) => ({
      ...entry,
      record: entry.record && vault.seal(entry.client, RECORD, round, entry.record),
    })),
  };
  return inTransaction(database, path, () => {
    const numbered = encoded.entries
      .map((entry) => ({ entry, ordinal: numberOf(database, entry.client) }))
      .sort((a, b) => a.ordinal - b.ordinal);
    const lastDigest = "SELECT digest FROM rounds ORDER BY round DESC LIMIT 1";
    const previous = first<{ readonly digest: Digest }>(database, lastDigest)?.digest ?? genesis;
    const weightsDigest = digestFloats(weights);
    const checkpointDigest = checkpoint && digestBytes(checkpoint);
    const digest = digestRound({
      previous,
      round,
      metadata,
      mean: encoded.mean,
      weights: weightsDigest,
      checkpoint: checkpointDigest,
      entries: numbered.map(({ entry }) => digestEntry(entry)),
    });
    database
      .prepare(
        "INSERT INTO rounds (round, metadata, mean, weights_digest, checkpoint_digest, digest) VALUES (?, ?, ?, ?, ?, ?)",
      )
      .run(
        round,
        canonicalJson(metadata),
        encoded.mean ?? null,
        weightsDigest,
        checkpointDigest ?? null,
        digest,
      );
    for (const { entry, ordinal } of numbered) insertEntry(database, round, ordinal, entry);
    database
      .prepare("INSERT OR REPLACE INTO state (id, round, weights, checkpoint) VALUES (1, ?, ?, ?)")
      .run(round, floatBytes(weights), checkpoint ?? null);
    for (const { client, auxiliary } of input.participants) {
      for (const [name, values] of Object.entries(auxiliary ?? {})) {
        moveAuxiliary(database, vault, client, name, values);
      }
    }
    for (const [client, bytes] of encoded.residuals) {
      putAuxiliary(database, vault, client, RESIDUAL, { count: RESIDUAL_COUNT, mean: bytes });
    }
    leaveWindow(database, windowOf(retention));
    const alpha = sumsAlpha(retention);
    if (alpha !== undefined) advanceErrors(database, input.participants, alpha, vault);
    const records = [...encoded.entries.map(({ record }) => record), encoded.mean];
    return {
      round,
      digest,
      recordBytes: records.reduce((sum, record) => sum + (record?.length ?? 0), 0),
      statuses: Object.fromEntries(encoded.entries.map(({ client, status }) => [client, status])),
    };
  });
}

function checkRound(
  database: DatabaseSync,
  length: number,
  { round, weights, participants }: RoundInput,
): void {
  const query = "SELECT max(round) AS round FROM rounds";
  const last = first<{ readonly round: number | null }>(database, query)?.round ?? null;
  if (!Number.isInteger(round) || round < 0 || round >= 2 ** 32 || (last !== null && round <= last)) {
    throw new LetheError(
      "usage",
      "USAGE_ROUND_ORDER",
      `Expected a round number above ${last ?? "or equal to 0"} and below 2^32, got ${round}. Rounds are accepted in order.`,
      { details: { round, last } },
    );
  }
  if (weights.length !== length || !weights.every(Number.isFinite)) {
    throw new LetheError(
      "numeric",
      "NUMERIC_WEIGHTS",
      `Expected ${length} finite global weights after round ${round}, got ${weights.length}, some not finite or too few.`,
      { details: { round } },
    );
  }
  const erased = participants.find(({ client }) => readClient(database, client)?.erased);
  if (erased) {
    throw new LetheError(
      "usage",
      "USAGE_CLIENT_ERASED",
      `Expected clients that were not erased in round ${round}, got "${erased.client}". Leave it out, or give it a new name.`,
      { details: { round, client: erased.client } },
    );
  }
}

/** A client's number, a new one at its first appearance. */
function numberOf(database: DatabaseSync, client: string): number {
  const known = readClient(database, client);
  if (known) return known.ordinal;
  const ordinal = Number(
    database.prepare("INSERT INTO clients (name) VALUES (?)").run(client).lastInsertRowid,
  );
  if (ordinal < CLIENTS_PER_ROUND) return ordinal;
  throw new LetheError(
    "usage",
    "USAGE_TOO_MANY_CLIENTS",
    `Expected fewer than ${CLIENTS_PER_ROUND} clients.`,
  );
}

function insertEntry(database: DatabaseSync, round: number, ordinal: number, entry: RoundEntry): void {
  const { status, weight, reference, record } = entry;
  database
    .prepare("INSERT INTO entries (id, status, weight, reference, record) VALUES (?, ?, ?, ?, ?)")
    .run(
      round * CLIENTS_PER_ROUND + ordinal,
      STATUS_NUMBERS[status],
      weight,
      reference ?? null,
      record ?? null,
    );
  if (record) {
    database.prepare("UPDATE clients SET last_record_round = ? WHERE ordinal = ?").run(round, ordinal);
  }
}

function moveAuxiliary(
  database: DatabaseSync,
  vault: Vault,
  client: string,
  name: string,
  values: Float32Array,
): void {
  const row = first<{ readonly count: number; readonly mean: Uint8Array }>(
    database,
    "SELECT count, mean FROM auxiliary WHERE client = ? AND name = ?",
    numberOf(database, client),
    name,
  );
  const count = (row?.count ?? 0) + 1;
  const mean = row && vault.open(client, auxiliaryPart(name), row.count, row.mean);
  putAuxiliary(database, vault, client, name, { count, mean: updateMean(mean, values, count) });
}

function putAuxiliary(
  database: DatabaseSync,
  vault: Vault,
  client: string,
  name: string,
  { count, mean }: { readonly count: number; readonly mean: Uint8Array },
): void {
  const bytes = vault.seal(client, auxiliaryPart(name), count, mean);
  database
    .prepare("INSERT OR REPLACE INTO auxiliary (client, name, count, mean, digest) VALUES (?, ?, ?, ?, ?)")
    .run(numberOf(database, client), name, count, bytes, digestBytes(bytes));
}
