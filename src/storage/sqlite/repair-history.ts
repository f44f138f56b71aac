import type { DatabaseSync } from "node:sqlite";
import { digestEntry, digestHeader, digestRound } from "../../history/chain.ts";
import { leansOnEarlier } from "../../history/config.ts";
import { openRound } from "../../history/decode-round.ts";
import { MEAN } from "../../history/encode-round.ts";
import { readRecord } from "../../history/record.ts";
import type { HistoryHeader, VerifyReport } from "../../history/store.ts";
import { createWorkspace } from "../../history/workspace.ts";
import { type Digest, digestBytes } from "../../kernel/digest.ts";
import { isLetheError, LetheError } from "../../kernel/errors.ts";
import type { ClientKeys } from "../encryption/client-keys.ts";
import { guarded, openDatabase } from "./database.ts";
import {
  type HistoryItem,
  type ItemEntry,
  type RoundItem,
  readHeadItems,
  readRoundItems,
  readTailItems,
} from "./history-items.ts";
import { readHeader, readNames, readRepairs } from "./history-rows.ts";
import { expectHistory } from "./history-store.ts";
import { createFromItems } from "./transfer-history.ts";
import { openedEntry, type Vault, vaultOf } from "./vault.ts";

/** What a repair could not save, and what that means from now on. */
export interface RepairReport {
  /** Records that were taken out; the rounds' digests are taken on trust. */
  readonly lost: readonly { readonly round: number; readonly client: string }[];
  /** The first round that was left out together with all after it. */
  readonly cutFrom: number | undefined;
  /** Other parts that were left out. */
  readonly dropped: readonly string[];
  /** What later operations cannot do any more, a sentence each. */
  readonly consequences: readonly string[];
  /** The check of the repaired history, undefined where there was nothing to repair and nothing was written. */
  readonly verified: VerifyReport | undefined;
}

/** The damage found so far. */
interface Findings {
  readonly lost: { round: number; client: string }[];
  readonly dropped: string[];
  cutFrom: number | undefined;
  lastDigest: Digest;
  readonly weights: { digest: string | undefined; checkpoint: string | undefined };
}

/**
 * Writes what is intact of a history into a new file and says what is not; the damaged file is left as it is.
 *
 * A record that cannot be read is taken out: its entry stays as `dropped`. Digests of later rounds continue those of the
 * original, since a round that lost a record keeps its digest on trust. Where a round differs from its digest although all
 * its records can be read, nothing says which part is wrong, and it is left out with all after it.
 *
 * @param keys - needed for an encrypted history
 * @throws LETHE_USAGE_KEYRING, LETHE_INTEGRITY_HEADER where the header itself is damaged: nothing can be decoded without it
 */
export async function repairHistory(path: string, out: string, keys?: ClientKeys): Promise<RepairReport> {
  const database = openDatabase(path, { readOnly: true });
  try {
    expectHistory(database, path);
    const { header, digest } = guarded(path, () => readHeader(database));
    if (digestHeader(header) !== digest) throw headerIsDamaged();
    const vault = vaultOf(header.codec, digest, keys);
    if (header.codec.encryption !== undefined && keys === undefined) throw needsKeys();
    const look = (): { findings: Findings; items: Iterable<HistoryItem> } => {
      const findings = nothingFound(digest);
      return { findings, items: intactItems(database, path, header, findings, vault) };
    };
    const survey = look();
    for (const _item of survey.items);
    const { lost, cutFrom, dropped } = survey.findings;
    const isIntact = lost.length === 0 && cutFrom === undefined && dropped.length === 0;
    const verified = isIntact ? undefined : await createFromItems(out, look().items, keys);
    return { lost, cutFrom, dropped, consequences: consequencesOf(survey.findings), verified };
  } finally {
    database.close();
  }
}

function nothingFound(genesis: Digest): Findings {
  return {
    lost: [],
    dropped: [],
    cutFrom: undefined,
    lastDigest: genesis,
    weights: { digest: undefined, checkpoint: undefined },
  };
}

function needsKeys(): LetheError {
  return new LetheError(
    "usage",
    "USAGE_KEYRING",
    "Expected the keyring of this encrypted history, got none: only its keys tell which records are damaged. Give it with --keys FILE.",
  );
}

function headerIsDamaged(): LetheError {
  return new LetheError(
    "integrity",
    "INTEGRITY_HEADER",
    "Expected the header of the history to match its digest, got another: without its key and its initial weights " +
      "nothing can be decoded. Restore a copy.",
  );
}

function* intactItems(
  database: DatabaseSync,
  path: string,
  header: HistoryHeader,
  findings: Findings,
  vault: Vault,
): Generator<HistoryItem, void, void> {
  yield* readHeadItems(database);
  const trusted = new Set(readRepairs(database).map(({ part }) => part));
  const examine = roundExaminer(header, readNames(database), trusted, findings, vault);
  const rounds = readRoundItems(database);
  let lastRound = -1;
  for (;;) {
    let examined: RoundItem | undefined;
    try {
      const next = guarded(path, () => rounds.next());
      if (next.done) break;
      examined = examine(next.value);
    } catch (error) {
      // A page or a line of JSON that cannot be read; anything else is not damage.
      if (!isLetheError(error, "integrity") && !(error instanceof SyntaxError)) throw error;
    }
    if (examined === undefined) {
      findings.cutFrom = lastRound + 1;
      break;
    }
    lastRound = examined.round;
    yield examined;
  }
  for (const { round, clients } of byRound(findings.lost)) {
    yield { type: "repair", part: `round ${round}`, note: `records lost: ${clients.join(", ")}` };
  }
  yield* intactTail(database, path, findings);
}

/** The state, the running means and earlier notes, as far as they fit what was kept. */
function* intactTail(
  database: DatabaseSync,
  path: string,
  findings: Findings,
): Generator<HistoryItem, void, void> {
  const { cutFrom, dropped, weights } = findings;
  let hasState = false;
  const tail = readTailItems(database);
  try {
    for (;;) {
      const next = guarded(path, () => tail.next());
      if (next.done) break;
      const item = next.value;
      if (item.type === "state") {
        const isRight =
          cutFrom === undefined &&
          digestBytes(item.weights) === weights.digest &&
          (item.checkpoint && digestBytes(item.checkpoint)) === weights.checkpoint;
        if (isRight) yield item;
        hasState = isRight;
      } else if (
        item.type === "auxiliary" &&
        (cutFrom !== undefined || digestBytes(item.mean) !== item.digest)
      ) {
        dropped.push(`running mean "${item.name}" of client ${item.client}`);
      } else yield item;
    }
  } catch (error) {
    if (!isLetheError(error, "integrity") && !(error instanceof SyntaxError)) throw error;
    dropped.push("what follows the rounds, from an unreadable page on");
  }
  if (hasState || weights.digest === undefined) return;
  dropped.push("state");
  yield { type: "repair", part: "state", note: "the weights after the last round are not stored" };
}

/** Looks at one round after another; undefined for one that differs from its digest for no visible reason. */
function roundExaminer(
  header: HistoryHeader,
  names: ReadonlyMap<number, string>,
  trusted: ReadonlySet<string>,
  findings: Findings,
  vault: Vault,
): (item: RoundItem) => RoundItem | undefined {
  const workspace = createWorkspace();
  const update = new Float32Array(header.layout.length);
  /** Intact records by client, which later entries may refer to. */
  const records = new Map<string, Map<number, Uint8Array>>();
  const isKept = header.codec.threshold.mode === "temporal" || leansOnEarlier(header.codec);
  return (item) => {
    const { round } = item;
    const meanIsLost = item.mean !== undefined && !isReadable(item.mean, round, MEAN);
    const mean = meanIsLost ? undefined : item.mean;
    const find = (at: number, client: string) => records.get(client)?.get(at);
    const decoder = openRound({ round, mean }, header, header.codec, find, workspace);
    const lost: string[] = meanIsLost ? ["the round's mean"] : [];
    const digests: Digest[] = [];
    const entries = item.entries.map((entry): ItemEntry => {
      const client = names.get(entry.client) ?? "";
      const { status, weight, reference, record } = entry;
      const full = { client, status, weight, reference, record };
      digests.push((entry.digest as Digest | undefined) ?? digestEntry(full));
      let opened = full;
      try {
        opened = openedEntry(vault, round, full);
        decoder.decode(opened, update);
      } catch (error) {
        if (!isLetheError(error, "integrity")) throw error;
        lost.push(client);
        return { client: entry.client, status: "dropped", weight };
      }
      if (isKept && opened.record)
        records.set(client, (records.get(client) ?? new Map()).set(round, opened.record));
      return entry;
    });
    const link = {
      previous: findings.lastDigest,
      round,
      metadata: item.metadata,
      mean: item.mean,
      weights: item.weightsDigest as Digest,
      checkpoint: item.checkpointDigest as Digest | undefined,
      entries: digests,
    };
    const isExplained = lost.length > 0 || trusted.has(`round ${round}`);
    if (!isExplained && digestRound(link) !== item.digest) return undefined;
    findings.lost.push(...lost.map((client) => ({ round, client })));
    findings.lastDigest = item.digest as Digest;
    findings.weights.digest = item.weightsDigest;
    findings.weights.checkpoint = item.checkpointDigest;
    return { ...item, mean, entries };
  };
}

function isReadable(record: Uint8Array, round: number, client: string): boolean {
  try {
    readRecord(record, { round, client });
    return true;
  } catch (error) {
    if (!isLetheError(error, "integrity")) throw error;
    return false;
  }
}

function byRound(lost: Findings["lost"]): readonly { readonly round: number; readonly clients: string[] }[] {
  const rounds = new Map<number, string[]>();
  for (const { round, client } of lost) rounds.set(round, [...(rounds.get(round) ?? []), client]);
  return Array.from(rounds, ([round, clients]) => ({ round, clients }));
}

function consequencesOf({ lost, cutFrom, dropped }: Findings): readonly string[] {
  const clients = [...new Set(lost.map(({ client }) => client))].join(", ");
  return [
    ...(lost.length === 0
      ? []
      : [
          `Unlearning stands in for the lost records of ${clients} by each client's nearest kept one: some of its influence may stay.`,
          "The digests of the rounds that lost a record are taken on trust; all later ones are still checked.",
        ]),
    ...(cutFrom === undefined
      ? []
      : [
          `Rounds from ${cutFrom} on are gone: a history that ends before its model cannot be unlearned from without the ` +
            `weights as they were before round ${cutFrom}.`,
        ]),
    ...(dropped.includes("state")
      ? ["The weights after the last round are gone: training cannot go on from this history."]
      : []),
    ...(dropped.some((part) => part.startsWith("running mean"))
      ? ["Running means are gone: rules that need them, for clients with Adam, will refuse."]
      : []),
  ];
}
