import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { SimulationInput } from "../../src/federation/simulation/config.ts";
import { deriveKey, keyFromSeed, randomStream } from "../../src/kernel/key.ts";

/** Everything that is carried from round to round: server momentum, a codec with memory, a second history beside it. */
const SETTINGS: SimulationInput = {
  rounds: 10,
  participation: 0.8,
  server: { momentum: 0.5, rate: 0.8 },
  attack: { id: "backdoor", settings: { boost: 4 } },
  codec: { quantiser: "z", rate: { bitsPerParameter: 2 }, threshold: { mode: "temporal", tau: 0.6 } },
  codecCurve: [{ quantiser: "e8", storedClientFraction: 0.6, threshold: { mode: "mean", tau: 0.5 } }],
};

/** The line after which a process is killed, and the longest time it still lives, in milliseconds. */
const MOMENTS: readonly (readonly [line: string, lifeMs: number])[] = [
  ["ready", 40],
  ["phase training", 15],
  ["step 1", 25],
  ["step 3", 0],
  ["step 4", 25],
  ["step 7", 15],
  ["phase unlearning", 10],
  ["phase unlearning", 30],
  ["phase retraining without the removed clients", 25],
  ["phase unlearning from other codecs' histories", 10],
];

/** Runs the process to its end, or kills it `lifeMs` after it said `line`. */
function run(
  directory: string,
  kill?: { readonly line: string; readonly lifeMs: number },
): Promise<string[]> {
  const script = join(import.meta.dirname, "simulation-process.ts");
  const child = spawn(process.execPath, ["--no-warnings", script, directory, JSON.stringify(SETTINGS)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new Promise((resolve, reject) => {
    let output = "";
    let complaint = "";
    let isDoomed = false;
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (kill === undefined || isDoomed || !output.split("\n").includes(kill.line)) return;
      isDoomed = true;
      setTimeout(() => child.kill("SIGKILL"), kill.lifeMs);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      complaint += chunk.toString();
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const isExpected = kill === undefined ? code === 0 : signal === "SIGKILL" || code === 0;
      if (isExpected) resolve(output.split("\n").slice(0, -1));
      else reject(new Error(`The simulation ended with ${code ?? signal}: ${complaint}`));
    });
  });
}

it("a simulation killed again and again ends with the digests of one that never was", async () => {
  const root = mkdtempSync(join(tmpdir(), "lethe-simulation-"));
  try {
    const undisturbed = (await run(join(root, "whole"))).at(-1);
    expect(undisturbed).toMatch(/^digests /);
    const stream = randomStream(deriveKey(keyFromSeed(1), "kills"));
    const directory = join(root, "killed");
    let kills = 0;
    let resumedAt = 0;
    for (const [line, longest] of MOMENTS) {
      const output = await run(directory, { line, lifeMs: longest * stream.uniform() });
      if (output.at(-1)?.startsWith("digests")) expect(output.at(-1)).toBe(undisturbed);
      else kills++;
      // What was accepted is never trained again.
      const first = Number(
        /^step (\d+)/.exec(output.find((text) => text.startsWith("step")) ?? "")?.[1] ?? 0,
      );
      if (output[2]?.startsWith("step")) {
        expect(first).toBeGreaterThan(resumedAt);
        const training = output.slice(0, output.indexOf("phase unlearning") >>> 0);
        resumedAt = Math.max(
          resumedAt,
          ...training.filter((text) => text.startsWith("step")).map((text) => Number(text.slice(5))),
        );
      }
    }
    expect(kills).toBeGreaterThanOrEqual(6);
    expect((await run(directory)).at(-1)).toBe(undisturbed);
    // A run that is through is only looked at again.
    const again = await run(directory);
    expect(again.at(-1)).toBe(undisturbed);
    expect(again.slice(0, 3)).toEqual(["ready", "phase training", "phase unlearning"]);
  } finally {
    rmSync(root, { recursive: true });
  }
});
