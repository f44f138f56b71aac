import { existsSync, writeSync } from "node:fs";
import type { History } from "../../src/history/store.ts";
import { isLetheError } from "../../src/kernel/errors.ts";
import { deriveKey, keyFromSeed, randomStream } from "../../src/kernel/key.ts";
import { layoutOf } from "../../src/kernel/layout.ts";
import { createHistory, openHistory } from "../../src/storage/sqlite/history-store.ts";

/**
 * A process to be killed: it accepts rounds for ever, erases a client now and then, and says on its output what was
 * acknowledged. Usage: node history-writer.ts PATH
 */
const layout = layoutOf([{ name: "dense", shape: [40, 50], role: "parameter" }]);
/** A new guest joins every so many rounds, and the one before is erased. */
const ROUNDS_PER_GUEST = 5;

await main(process.argv[2] as string);

async function main(path: string): Promise<void> {
  say("ready");
  const history = await open(path);
  const last = await history.resume();
  for (let round = last ? last.round + 1 : 0; ; round++) {
    const guest = Math.floor(round / ROUNDS_PER_GUEST);
    const participants = ["anna", "bert", `guest-${guest}`].map((client) => ({
      client,
      weight: 1,
      update: vector(round, client),
    }));
    const weights = vector(round, "weights");
    const receipt = await history.acceptRound({
      round,
      participants,
      weights,
      checkpoint: Uint8Array.of(round & 255),
    });
    say(`accepted ${round} ${receipt.digest}`);
    if (round % ROUNDS_PER_GUEST === 0 && guest > 0) {
      await history.eraseClient(`guest-${guest - 1}`);
      say(`erased guest-${guest - 1}`);
    }
  }
}

async function open(path: string): Promise<History> {
  if (existsSync(path)) {
    try {
      return await openHistory(path);
    } catch (error) {
      // Killed while creating: there is nothing in the file yet.
      if (!isLetheError(error) || error.code !== "LETHE_DATA_NOT_A_HISTORY") throw error;
    }
  }
  const header = {
    layout,
    key: keyFromSeed(1),
    facts: null,
    initialWeights: new Float32Array(layout.length),
  };
  return createHistory(path, header);
}

function vector(round: number, label: string): Float32Array {
  const stream = randomStream(deriveKey(keyFromSeed(2), round, label));
  return Float32Array.from({ length: layout.length }, () => stream.normal());
}

function say(line: string): void {
  writeSync(1, `${line}\n`);
}
