import { spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import type { DecodedRound } from "../../src/history/store.ts";
import { isLetheError } from "../../src/kernel/errors.ts";
import { deriveKey, type Key, randomStream } from "../../src/kernel/key.ts";
import { openHistory } from "../../src/storage/sqlite/history-store.ts";
import { importHistory } from "../../src/storage/sqlite/transfer-history.ts";
import { keysBeside, uninterrupted } from "./killed-run.ts";

/** A writer is killed after 0 to 9 acknowledgements, so that it gets somewhere on a slow machine too … */
const MOST_LINES = 10;
/** … and up to so many milliseconds: about two rounds, so that the kill falls anywhere in one. */
const LONGEST_DELAY_MS = 8;

/** How a reader finds a file whose creation did not come to its end. */
const HALF_CREATED: ReadonlySet<string> = new Set(["LETHE_DATA_NOT_A_HISTORY", "LETHE_DATA_NEEDS_WRITER"]);

/** What the writers have acknowledged so far. */
export interface Acknowledged {
  readonly rounds: Map<number, string>;
  readonly erased: Set<string>;
  /** Heads of the histories whose export was acknowledged. */
  readonly exports: string[];
}

/** Nothing yet. */
export function nothingAcknowledged(): Acknowledged {
  return { rounds: new Map(), erased: new Set(), exports: [] };
}

/** What one kill met. */
export interface KillOutcome {
  /**
   * `creation`: no history yet; `round`: one was committed and not yet acknowledged; `transfer`: the last thing acknowledged was
   * an erasure, an export or what goes before an import; `idle`: none of these.
   */
  readonly hit: "creation" | "round" | "transfer" | "idle";
  readonly rounds: number;
}

/**
 * Starts a writer, kills it with SIGKILL at a random moment, and checks the files: every acknowledged round is there
 * whole, at most one more, every acknowledged erasure holds, its key is destroyed, the chain verifies, and what was exported can
 * be imported.
 *
 * @throws when anything that was acknowledged is missing or changed
 */
export async function killWriter(
  path: string,
  scenario: string,
  key: Key,
  trial: number,
  acknowledged: Acknowledged,
): Promise<KillOutcome> {
  const stream = randomStream(deriveKey(key, trial));
  // Half of the kills of a history without rounds are meant for its creation.
  const isCreation = acknowledged.rounds.size === 0 && stream.below(2) === 0;
  const lines = isCreation ? 0 : stream.below(MOST_LINES);
  const output = await outputUntilKilled(path, scenario, lines, stream.uniform() * LONGEST_DELAY_MS);
  for (const line of output) {
    const [verb, name = "", digest = ""] = line.split(" ");
    if (verb === "accepted") acknowledged.rounds.set(Number(name), digest);
    if (verb === "erased") acknowledged.erased.add(name);
    if (verb === "exported") acknowledged.exports.push(digest);
  }
  const outcome = await check(path, scenario, acknowledged);
  const last = output.at(-1)?.split(" ")[0];
  const isTransfer = outcome.hit === "idle" && (last === "erased" || last === "exported");
  return isTransfer ? { ...outcome, hit: "transfer" } : outcome;
}

/**
 * Compares what the kept clients' records decode to with a run that nobody killed.
 *
 * @throws when a number differs
 */
export async function compareWithUninterrupted(path: string, scenario: string): Promise<void> {
  const reader = await openHistory(path, { readOnly: true, keys: keysBeside(path, scenario) });
  const rounds = (await reader.rounds()).length;
  const reference = await uninterrupted(`${path}.reference`, scenario, rounds);
  try {
    const kept = { clients: ["anna", "bert"] };
    const others = reference.readRounds(kept);
    for await (const round of reader.readRounds(kept)) {
      const other = (await others.next()).value as DecodedRound;
      if (same(round, other)) continue;
      throw new Error(`Round ${round.round} differs from that of a run nobody killed.`);
    }
    for (const client of kept.clients) {
      for (const name of ["lethe:residual", "lethe:removal-error"]) {
        const [mine, theirs] = await Promise.all([
          reader.auxiliary(client, name),
          reference.auxiliary(client, name),
        ]);
        if (JSON.stringify([...(mine?.mean ?? [])]) !== JSON.stringify([...(theirs?.mean ?? [])]))
          throw new Error(`${name} of ${client} differs from that of a run nobody killed.`);
      }
    }
  } finally {
    await reader.close();
    await reference.close();
    rmSync(`${path}.reference`);
  }
}

function same(a: DecodedRound, b: DecodedRound): boolean {
  return a.participants.every(({ status, update }, at) => {
    const other = b.participants[at];
    if (status !== other?.status || update?.length !== other.update?.length) return false;
    return update?.every((value, i) => value === other.update?.[i]) ?? true;
  });
}

function outputUntilKilled(
  path: string,
  scenario: string,
  lines: number,
  delayMs: number,
): Promise<readonly string[]> {
  const script = new URL("./history-writer.ts", import.meta.url).pathname;
  const writer = spawn(process.execPath, ["--no-warnings", script, path, scenario], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new Promise((resolve, reject) => {
    let output = "";
    let complaint = "";
    let isDoomed = false;
    writer.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      // The first line says that the writer is about to open the file.
      if (isDoomed || output.split("\n").length - 2 < lines) return;
      isDoomed = true;
      setTimeout(() => writer.kill("SIGKILL"), delayMs);
    });
    writer.stderr.on("data", (chunk: Buffer) => {
      complaint += chunk.toString();
    });
    writer.on("error", reject);
    writer.on("close", (_code, signal) => {
      if (signal !== "SIGKILL") reject(new Error(`The writer ended by itself: ${complaint}`));
      // The last line may be cut: then it was not acknowledged.
      else resolve(output.split("\n").slice(0, -1));
    });
  });
}

async function check(path: string, scenario: string, acknowledged: Acknowledged): Promise<KillOutcome> {
  const { rounds, erased } = acknowledged;
  if (!existsSync(path)) return untouched(rounds);
  const keys = keysBeside(path, scenario);
  const reader = await openHistory(path, { readOnly: true, keys }).catch((error: unknown) => {
    if (isLetheError(error) && HALF_CREATED.has(error.code)) return undefined;
    throw error;
  });
  if (!reader) return untouched(rounds);
  try {
    const report = await reader.verify();
    const found = new Map((await reader.rounds()).map(({ round, digest }) => [round, digest as string]));
    for (const [round, digest] of rounds) {
      if (found.get(round) !== digest) throw new Error(`Round ${round} was acknowledged and is not there.`);
    }
    const extra = [...found].filter(([round]) => !rounds.has(round));
    if (extra.length > 1) throw new Error(`${extra.length} rounds are there that were not acknowledged.`);
    const gone = new Set((await reader.clients()).filter((one) => one.erased).map(({ client }) => client));
    for (const client of erased) {
      if (!gone.has(client)) throw new Error(`The erasure of ${client} was acknowledged and is not there.`);
      if (keys !== undefined && !keys.isDestroyed(client))
        throw new Error(`The key of ${client} is still there.`);
    }
    // Of a client whose key alone was destroyed the records are still there; the next writer takes them out.
    if (report.sealed > 0 && [...gone].every((client) => erased.has(client)))
      throw new Error(`${report.sealed} records cannot be read.`);
    // A round whose acknowledgement was cut off is whole, and counts from now on.
    for (const [round, digest] of extra) rounds.set(round, digest);
    await checkExport(path, acknowledged);
    return { hit: extra.length === 1 ? "round" : "idle", rounds: found.size };
  } finally {
    await reader.close();
  }
}

/** An exported file is whole whenever it is there, and one is there once that was acknowledged. */
async function checkExport(path: string, { rounds, exports }: Acknowledged): Promise<void> {
  const file = `${path}.lethe`;
  if (!existsSync(file)) {
    if (exports.length > 0) throw new Error("The exported file was acknowledged and is not there.");
    return;
  }
  const { head } = await importHistory(file, `${path}.check`);
  for (const suffix of ["", "-writer"]) rmSync(`${path}.check${suffix}`, { force: true });
  if (![...rounds.values()].includes(head))
    throw new Error("The exported file ends with no round of the history.");
}

function untouched(rounds: ReadonlyMap<number, string>): KillOutcome {
  if (rounds.size > 0) throw new Error(`${rounds.size} rounds were acknowledged and the history is gone.`);
  return { hit: "creation", rounds: 0 };
}
