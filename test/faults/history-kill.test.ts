import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { keyFromSeed } from "../../src/kernel/key.ts";
import { openHistory } from "../../src/storage/sqlite/history-store.ts";
import { compareWithUninterrupted, killWriter, nothingAcknowledged } from "./kill-writer.ts";
import { keysBeside } from "./killed-run.ts";

it.each(["plain", "encrypted feedback"])(
  "a history survives kill -9 at any point: acknowledged rounds whole, others not at all (%s)",
  async (scenario) => {
    const directory = mkdtempSync(join(tmpdir(), "lethe-kill-"));
    const path = join(directory, "run.history");
    const acknowledged = nothingAcknowledged();
    try {
      for (let trial = 0; trial < 9; trial++)
        await killWriter(path, scenario, keyFromSeed(1), trial, acknowledged);
      expect(acknowledged.rounds.size).toBeGreaterThan(3);
      expect(acknowledged.exports.length).toBeGreaterThan(0);
      const history = await openHistory(path, { keys: keysBeside(path, scenario) });
      const report = await history.verify();
      expect(report.rounds).toBe(acknowledged.rounds.size);
      await history.close();
      await compareWithUninterrupted(path, scenario);
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
);
