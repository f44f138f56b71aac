import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { trainModels } from "../../src/audit/farm/model-farm.ts";
import { openModelStore } from "../../src/audit/farm/model-store.ts";
import { jobDigest } from "../../src/audit/farm/training-job.ts";
import { digestArrays } from "../../src/kernel/digest.ts";
import { consume, type LetheEvent } from "../../src/kernel/events.ts";
import { keyFromSeed, randomStream } from "../../src/kernel/key.ts";
import { farmHeader, farmJobs } from "./small-farm.ts";

/** Kills, each after one more model than the last and up to so many milliseconds: it may fall into a write. */
const KILLS = 3;
const LONGEST_DELAY_MS = 6;

it("a farm survives kill -9 at any point: finished models are whole and not trained again", async () => {
  const directory = mkdtempSync(join(tmpdir(), "lethe-farm-kill-"));
  const stream = randomStream(keyFromSeed(1));
  try {
    for (let trial = 0; trial < KILLS; trial++) {
      await killAfter(trial + 1, stream.uniform() * LONGEST_DELAY_MS, directory);
      const store = openModelStore(directory);
      expect(farmJobs.map((job) => store.read(jobDigest(farmHeader, job)))).not.toContain("damaged");
    }
    const events: LetheEvent[] = [];
    const models = await consume(
      trainModels(farmHeader, farmJobs, { store: directory, workers: 2 }),
      (event) => events.push(event),
    );
    expect(events).not.toContainEqual(expect.objectContaining({ type: "notice" }));
    const started = events.find((event) => event.type === "started");
    expect(started?.details.stored).toBeGreaterThanOrEqual(KILLS);

    const undisturbed = await consume(
      trainModels(farmHeader, farmJobs.slice(0, 6), { store: join(directory, "again"), workers: 1 }),
    );
    const digests = (sets: typeof models): readonly string[] => sets.map((weights) => digestArrays(weights));
    expect(digests(models).slice(0, 6)).toEqual(digests(undisturbed));
  } finally {
    rmSync(directory, { recursive: true });
  }
});

/** Starts the farm, waits until it has said so often that a model is done, and a little longer, and kills it. */
function killAfter(models: number, delayMs: number, directory: string): Promise<void> {
  const script = new URL("./farm-process.ts", import.meta.url).pathname;
  const farm = spawn(process.execPath, ["--no-warnings", script, directory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return new Promise((resolve, reject) => {
    let done = 0;
    farm.stdout.on("data", (chunk: Buffer) => {
      for (const line of chunk.toString().trim().split("\n"))
        done = Math.max(done, Number.parseInt(line, 10) || 0);
      if (done >= models) setTimeout(() => farm.kill("SIGKILL"), delayMs);
    });
    farm.on("error", reject);
    farm.on("close", () => resolve());
  });
}
