import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { isLetheError } from "../../src/kernel/errors.ts";
import { deriveKey, type Key, randomStream } from "../../src/kernel/key.ts";
import { openHistory } from "../../src/storage/sqlite/history-store.ts";

/** Longest life of the writer after its start, in milliseconds: some tens of rounds and several erasures. */
const LONGEST_LIFE_MS = 60;

/** What the writers have acknowledged so far. */
export interface Acknowledged {
  readonly rounds: Map<number, string>;
  readonly erased: Set<string>;
}

/** What one kill met. */
export interface KillOutcome {
  /** `creation`: no history yet; `round`: one was committed and not yet acknowledged; `idle`: neither. */
  readonly hit: "creation" | "round" | "idle";
  readonly rounds: number;
}

/**
 * Starts a writer, kills it with SIGKILL at a random moment, and checks the file: every acknowledged round is there
 * whole, at most one more, every acknowledged erasure holds, and the chain verifies.
 *
 * @throws when anything that was acknowledged is missing or changed
 */
export async function killWriter(
  path: string,
  key: Key,
  trial: number,
  acknowledged: Acknowledged,
): Promise<KillOutcome> {
  const life = randomStream(deriveKey(key, trial)).uniform() * LONGEST_LIFE_MS;
  for (const line of await outputUntilKilled(path, life)) {
    const [verb, name = "", digest = ""] = line.split(" ");
    if (verb === "accepted") acknowledged.rounds.set(Number(name), digest);
    if (verb === "erased") acknowledged.erased.add(name);
  }
  return check(path, acknowledged);
}

function outputUntilKilled(path: string, lifeMs: number): Promise<readonly string[]> {
  const script = new URL("./history-writer.ts", import.meta.url).pathname;
  const writer = spawn(process.execPath, ["--no-warnings", script, path], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new Promise((resolve, reject) => {
    let output = "";
    let complaint = "";
    let started = false;
    writer.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (started) return;
      started = true;
      setTimeout(() => writer.kill("SIGKILL"), lifeMs);
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

async function check(path: string, { rounds, erased }: Acknowledged): Promise<KillOutcome> {
  if (!existsSync(path)) return untouched(rounds);
  const reader = await openHistory(path, { readOnly: true }).catch((error: unknown) => {
    if (isLetheError(error) && error.code === "LETHE_DATA_NOT_A_HISTORY") return undefined;
    throw error;
  });
  if (!reader) return untouched(rounds);
  try {
    await reader.verify();
    const found = new Map((await reader.rounds()).map(({ round, digest }) => [round, digest as string]));
    for (const [round, digest] of rounds) {
      if (found.get(round) !== digest) throw new Error(`Round ${round} was acknowledged and is not there.`);
    }
    const extra = [...found].filter(([round]) => !rounds.has(round));
    if (extra.length > 1) throw new Error(`${extra.length} rounds are there that were not acknowledged.`);
    const gone = new Set((await reader.clients()).filter((one) => one.erased).map(({ client }) => client));
    for (const client of erased) {
      if (!gone.has(client)) throw new Error(`The erasure of ${client} was acknowledged and is not there.`);
    }
    // A round whose acknowledgement was cut off is whole, and counts from now on.
    for (const [round, digest] of extra) rounds.set(round, digest);
    return { hit: extra.length === 1 ? "round" : "idle", rounds: found.size };
  } finally {
    await reader.close();
  }
}

function untouched(rounds: ReadonlyMap<number, string>): KillOutcome {
  if (rounds.size > 0) throw new Error(`${rounds.size} rounds were acknowledged and the history is gone.`);
  return { hit: "creation", rounds: 0 };
}
