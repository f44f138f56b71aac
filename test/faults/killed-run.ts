import { existsSync } from "node:fs";
import type { CodecConfigInput } from "../../src/history/config.ts";
import type { History, RoundInput } from "../../src/history/store.ts";
import { isLetheError } from "../../src/kernel/errors.ts";
import { deriveKey, keyFromSeed, randomStream } from "../../src/kernel/key.ts";
import { layoutOf } from "../../src/kernel/layout.ts";
import { createKeyring, type Keyring, openKeyring } from "../../src/storage/encryption/keyring.ts";
import { createHistory, openHistory } from "../../src/storage/sqlite/history-store.ts";

const layout = layoutOf([{ name: "dense", shape: [40, 50], role: "parameter" }]);
const one = { bitsPerParameter: 1 };

/** The histories that are written and killed: every mode, and what leans on earlier rounds. */
export const scenarios: Readonly<Record<string, CodecConfigInput>> = {
  plain: {},
  encrypted: { encryption: "aes-256-gcm" },
  temporal: { threshold: { mode: "temporal", tau: 1.3 } },
  feedback: { quantiser: "deadzone", rate: one, feedback: { alpha: -0.15 } },
  "encrypted feedback": { rate: one, feedback: {}, encryption: "aes-256-gcm" },
  rotation: { quantiser: "tcq4", rotation: { period: 4 } },
  window: { retention: { mode: "window", rounds: 3 } },
  sums: { retention: { mode: "accumulator", alpha: -0.15 } },
  "encrypted hybrid": { retention: { mode: "hybrid", rounds: 3, alpha: -0.15 }, encryption: "aes-256-gcm" },
};

/** A new guest joins every so many rounds, and the one before is erased. */
export const ROUNDS_PER_GUEST = 5;

/** The guest of a round. */
export function guestOf(round: number): string {
  return `guest-${Math.floor(round / ROUNDS_PER_GUEST)}`;
}

/** A round as every process of the experiment would write it. */
export function roundInput(round: number): RoundInput {
  const participants = ["anna", "bert", guestOf(round)].map((client) => ({
    client,
    weight: 1,
    update: vector(round, client),
  }));
  const weights = vector(round, "weights");
  return { round, participants, weights, checkpoint: Uint8Array.of(round & 255) };
}

/** The keyring beside a history, undefined for one that is not encrypted. */
export function keysBeside(path: string, scenario: string): Keyring | undefined {
  if (codecOf(scenario).encryption === undefined) return undefined;
  const keyPath = `${path}.keys`;
  return existsSync(keyPath) ? openKeyring(keyPath, undefined) : createKeyring(keyPath, undefined);
}

/** Opens a history for writing, or creates it where an earlier process did not come to that. */
export async function openOrCreate(path: string, scenario: string): Promise<History> {
  const keys = keysBeside(path, scenario);
  if (existsSync(path)) {
    try {
      return await openHistory(path, { keys });
    } catch (error) {
      // Killed while creating: there is nothing in the file yet.
      if (!isLetheError(error) || error.code !== "LETHE_DATA_NOT_A_HISTORY") throw error;
    }
  }
  const header = {
    layout,
    codec: codecOf(scenario),
    key: keyFromSeed(1),
    facts: null,
    initialWeights: new Float32Array(layout.length),
  };
  return createHistory(path, header, { keys });
}

/** A history of so many rounds that nobody killed, not encrypted. */
export async function uninterrupted(path: string, scenario: string, rounds: number): Promise<History> {
  const { encryption: _left, ...codec } = codecOf(scenario);
  const header = {
    layout,
    codec,
    key: keyFromSeed(1),
    facts: null,
    initialWeights: new Float32Array(layout.length),
  };
  const history = await createHistory(path, header);
  for (let round = 0; round < rounds; round++) await history.acceptRound(roundInput(round));
  return history;
}

function codecOf(scenario: string): CodecConfigInput {
  const codec = scenarios[scenario];
  if (codec === undefined) throw new Error(`There is no scenario ${scenario}.`);
  return codec;
}

function vector(round: number, label: string): Float32Array {
  const stream = randomStream(deriveKey(keyFromSeed(2), round, label));
  return Float32Array.from({ length: layout.length }, () => stream.normal());
}
