import type { DatabaseSync } from "node:sqlite";
import { digestEntry, digestFloats, digestRound } from "../../history/chain.ts";
import type { EncodedRound } from "../../history/encode-round.ts";
import type { RoundEntry } from "../../history/entry.ts";
import { FULL, sumsAlpha, windowOf } from "../../history/retention.ts";
import { updateMean } from "../../history/running-mean.ts";
import type { HistoryReader, RoundInput, RoundReceipt } from "../../history/store.ts";
import { canonicalJson } from "../../kernel/canonical-json.ts";
import { type Digest, digestBytes } from "../../kernel/digest.ts";
import { LetheError } from "../../kernel/errors.ts";
import { first, inTransaction } from "./database.ts";
import { RESIDUAL, RESIDUAL_COUNT } from "./earlier-records.ts";
import { floatBytes, readClient } from "./history-rows.ts";
import { CLIENTS_PER_ROUND, STATUS_NUMBERS } from "./history-schema.ts";
import { advanceErrors } from "./removal-sums.ts";
import { leaveWindow } from "./round-window.ts";
import { auxiliaryPart, RECORD, type Vault } from "./vault.ts";

/**
 * Puts a coded round on disk, in one transaction: entries, chain, weights, running means and sums.
 *
 * @param input - its updates are read by modes that keep sums alone
 */
export function storeRound(
  database: DatabaseSync,
  path: string,
  { header, genesis }: Pick<HistoryReader, "header" | "genesis">,
  vault: Vault,
  input: RoundInput,
  coded: EncodedRound,
): RoundReceipt {
  const { round, metadata = null, checkpoint, weights } = input;
  const retention = header.codec.retention ?? FULL;
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
