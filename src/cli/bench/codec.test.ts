import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { consume } from "../../kernel/events.ts";
import { keyFromSeed, randomStream } from "../../kernel/key.ts";
import { layoutOf } from "../../kernel/layout.ts";
import { createHistory } from "../../storage/sqlite/history-store.ts";
import { benchCodec } from "./codec.ts";

it("measures every quantiser, and general compressors, on the updates of a history", async () => {
  const directory = mkdtempSync(join(tmpdir(), "lethe-bench-"));
  const historyPath = join(directory, "run.history");
  const layout = layoutOf([{ name: "dense", shape: [60, 50], role: "parameter" }]);
  const initialWeights = new Float32Array(layout.length);
  const stream = randomStream(keyFromSeed(3));
  const update = Float32Array.from({ length: layout.length }, () => stream.normal());
  const history = await createHistory(historyPath, {
    layout,
    codec: { quantiser: "none" },
    key: keyFromSeed(1),
    facts: null,
    initialWeights,
  });
  await history.acceptRound({
    round: 0,
    participants: [{ client: "a", weight: 1, update }],
    weights: initialWeights,
  });
  await history.close();
  try {
    const rows = await consume(
      benchCodec({ seed: 1, rates: [1], repetitions: 1, historyPaths: [historyPath], synthetic: false }),
    );
    const found = (codec: string) => rows.find((row) => row.codec === codec);
    expect(found("none")?.decibels).toBeUndefined();
    expect(Math.abs((found("z")?.bitsPerParameter ?? 0) - 1)).toBeLessThan(0.04);
    expect(found("z")?.decodeMegabytesPerSecond?.median).toBeGreaterThan(0);
    expect(found("zstd-19 of z indices")?.bitsPerParameter).toBeGreaterThan(1);
    expect(found("brotli-11 of float32")?.bitsPerParameter).toBeGreaterThan(20);
    expect(found("e8")?.decibels).toBeLessThan(found("z")?.decibels ?? 0);
    expect(Math.abs((found("z")?.biasRatio ?? 0) - 1)).toBeLessThan(0.1);
    expect(found("int8")?.biasRatio).toBeGreaterThan(2);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
