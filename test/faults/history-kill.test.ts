import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { keyFromSeed } from "../../src/kernel/key.ts";
import { openHistory } from "../../src/storage/sqlite/history-store.ts";
import { type Acknowledged, killWriter } from "./kill-writer.ts";

it("a history survives kill -9 at any point: acknowledged rounds whole, others not at all", async () => {
  const directory = mkdtempSync(join(tmpdir(), "lethe-kill-"));
  const path = join(directory, "run.history");
  const acknowledged: Acknowledged = { rounds: new Map(), erased: new Set() };
  try {
    for (let trial = 0; trial < 30; trial++) await killWriter(path, keyFromSeed(1), trial, acknowledged);
    expect(acknowledged.rounds.size).toBeGreaterThan(10);
    expect(acknowledged.erased.size).toBeGreaterThan(1);
    const history = await openHistory(path);
    const report = await history.verify();
    expect(report.rounds).toBe(acknowledged.rounds.size);
    await history.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});
