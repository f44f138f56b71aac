import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { isLetheError } from "../../src/kernel/errors.ts";
import { deriveKey, type Key, randomStream } from "../../src/kernel/key.ts";
import { openHistory } from "../../src/storage/sqlite/history-store.ts";

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
  const stream = randomStream(deriveKey(key, trial));
  // Half of the kills of a history without rounds are meant for its creation.
  const isCreation = acknowledged.rounds.size === 0 && stream.below(2) === 0;
  const lines = isCreation ? 0 : stream.below(MOST_LINES);
  for (const line of await outputUntilKilled(path, lines, stream.uniform() * LONGEST_DELAY_MS)) {
    const [verb, name = "", digest = ""] = line.split(" ");
    if (verb === "accepted") acknowledged.rounds.set(Number(name), digest);
    if (verb === "erased") acknowledged.erased.add(name);
  }
  return check(path, acknowledged);
}

function outputUntilKilled(path: string, lines: number, delayMs: number): Promise<readonly string[]> {
  const script = new URL("./history-writer.ts", import.meta.url).pathname;
  const writer = spawn(process.execPath, ["--no-warnings", script, path], {
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

async function check(path: string, { rounds, erased }: Acknowledged): Promise<KillOutcome> {
  if (!existsSync(path)) return untouched(rounds);
  const reader = await openHistory(path, { readOnly: true }).catch((error: unknown) => {
    if (isLetheError(error) && HALF_CREATED.has(error.code)) return undefined;
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
