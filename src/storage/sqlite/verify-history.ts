import type { DatabaseSync } from "node:sqlite";
import { digestEntry, digestHeader, digestRound } from "../../history/chain.ts";
import { openRound } from "../../history/decode-round.ts";
import type { FindRecord } from "../../history/entry.ts";
import type { VerifyReport } from "../../history/store.ts";
import { createWorkspace } from "../../history/workspace.ts";
import { type Digest, digestBytes } from "../../kernel/digest.ts";
import { LetheError } from "../../kernel/errors.ts";
import { all, first } from "./database.ts";
import {
  readEntryRows,
  readHeader,
  readNames,
  readRecordBytes,
  readRepairs,
  readRoundRows,
  readState,
} from "./history-rows.ts";
import { auxiliaryPart, openedEntry, RECORD, type Vault } from "./vault.ts";

interface AuxiliaryColumns {
  readonly client: number;
  readonly count: number;
  readonly name: string;
  readonly mean: Uint8Array;
  readonly digest: Digest;
}

/** Checks the file's pages, every record and every link of the chain of digests. See `HistoryReader.verify`. */
export function verifyHistory(database: DatabaseSync, vault: Vault): VerifyReport {
  checkPages(database);
  const { header, digest: genesis } = readHeader(database);
  if (digestHeader(header) !== genesis) throw broken("header");
  const trusted = readRepairs(database).map(({ part }) => part);
  const names = readNames(database);
  const ordinals = new Map(Array.from(names, ([ordinal, name]) => [name, ordinal]));
  const find: FindRecord = (round, client) => {
    const bytes = readRecordBytes(database, round, ordinals.get(client) ?? 0);
    return bytes && vault.open(client, RECORD, round, bytes);
  };
  const workspace = createWorkspace();
  const update = new Float32Array(header.layout.length);
  const counts = { rounds: 0, records: 0, sealed: 0, erased: 0, dropped: 0 };
  let head: Digest = genesis;
  let weights: Digest | undefined;
  let checkpoint: Digest | undefined;
  for (const row of readRoundRows(database, {})) {
    const isTrusted = trusted.includes(`round ${row.round}`);
    const decoder = openRound(row, header, header.codec, find, workspace);
    const entries = readEntryRows(database, row.round, names).map(({ entry, digest }) => {
      if (entry.status === "erased" || entry.status === "dropped") {
        counts[entry.status]++;
        if (digest) return digest;
        if (isTrusted) return row.digest;
        throw broken(`entry of client "${entry.client}" in round ${row.round}`);
      }
      if (vault.reach(entry.client) !== "open") counts.sealed += entry.record ? 1 : 0;
      else if (decoder.decode(openedEntry(vault, row.round, entry), update))
        counts.records += entry.record ? 1 : 0;
      return digestEntry(entry);
    });
    const { round, metadata, mean } = row;
    weights = row.weightsDigest;
    checkpoint = row.checkpointDigest;
    const link = { previous: head, round, metadata, mean, weights, checkpoint, entries };
    if (!isTrusted && digestRound(link) !== row.digest) throw broken(`round ${round}`);
    head = row.digest;
    counts.rounds++;
  }
  if (!trusted.includes("state")) checkState(database, weights, checkpoint);
  for (const { client, name, count, mean, digest } of all<AuxiliaryColumns>(
    database,
    "SELECT client, name, count, mean, digest FROM auxiliary",
  )) {
    if (digestBytes(mean) !== digest) throw broken(`auxiliary vector "${name}"`);
    const owner = names.get(client) ?? "";
    if (vault.reach(owner) === "open") vault.open(owner, auxiliaryPart(name), count, mean);
  }
  return { ...counts, trusted, head };
}

function checkPages(database: DatabaseSync): void {
  const result = first<{ readonly quick_check: string }>(database, "PRAGMA quick_check(1)")?.quick_check;
  if (result !== "ok") throw broken(`file (${result})`);
}

function checkState(
  database: DatabaseSync,
  weights: Digest | undefined,
  checkpoint: Digest | undefined,
): void {
  const state = readState(database);
  if ((state && digestBytes(state.weights)) !== weights) throw broken("weights after the last round");
  if ((state?.checkpoint && digestBytes(state.checkpoint)) !== checkpoint) throw broken("checkpoint");
}

function broken(what: string): LetheError {
  return new LetheError(
    "integrity",
    "INTEGRITY_CHAIN",
    `Expected the ${what} to match its digest, got something else: the history was changed or is damaged. Restore a ` +
      "copy, or see what `lethe history repair` can save.",
    { details: { part: what } },
  );
}
