import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { openHistory } from "../../src/storage/sqlite/history-store.ts";

const ROUNDS = 60;

it("readers beside a training find a whole history at every moment, also while a window moves", async () => {
  const directory = mkdtempSync(join(tmpdir(), "lethe-readers-"));
  const path = join(directory, "run.history");
  const script = join(import.meta.dirname, "history-training.ts");
  const writer = spawn(process.execPath, ["--no-warnings", script, path, String(ROUNDS)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  let hasEnded = false;
  writer.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => {
    writer.on("close", (code) => {
      hasEnded = true;
      resolve(code);
    });
  });
  try {
    while (output === "" && !hasEnded) await setImmediate();
    const readers = [
      await openHistory(path, { readOnly: true }),
      await openHistory(path, { readOnly: true }),
    ];
    const heads: { rounds: number; head: string }[] = [];
    while (!hasEnded) {
      for (const reader of readers) {
        const { rounds, records, head } = await reader.verify();
        expect(records).toBe(2 * Math.min(rounds, 3));
        heads.push({ rounds, head });
        for await (const { participants } of reader.readRounds()) {
          for (const { update } of participants) expect(update?.every(Number.isFinite) ?? true).toBe(true);
        }
        await setImmediate();
      }
    }
    expect(await ended).toBe(0);
    const digests = output.trim().split("\n");
    expect(digests).toHaveLength(ROUNDS);
    for (const { rounds, head } of heads) expect(head).toBe(digests[rounds - 1]);
    expect(await readers[1]?.verify()).toMatchObject({ rounds: ROUNDS, dropped: 2 * (ROUNDS - 3) });
    for (const reader of readers) await reader.close();
  } finally {
    writer.kill();
    rmSync(directory, { recursive: true });
  }
});
