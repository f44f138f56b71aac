import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { consume } from "../../kernel/events.ts";
import { benchStep } from "./step.ts";

const RUNTIME = { spinning: false };
const place = mkdtempSync(join(tmpdir(), "lethe-step-"));
afterAll(() => rmSync(place, { recursive: true }));

/** A program in the place of Python: what it prints and how it ends is all a peer is judged by. */
function program(text: string): string {
  const path = join(place, "python");
  writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return path;
}

const measure = (models: readonly string[], python?: string) =>
  consume(
    benchStep({
      models,
      threads: [1],
      batchSize: 2,
      steps: 3,
      memory: python === undefined,
      python,
      runtime: RUNTIME,
    }),
  );

const answer = (gradientError: number): string =>
  `echo '${JSON.stringify({ version: "Peer 1", gradientError, firstStepMs: 9, msPerStep: [1, 2, 3], baseBytes: 1e8, peakBytes: 2e8 })}'`;

describe("the step benchmark", () => {
  it("measures pictures and text, in the order asked for", async () => {
    const { results, gemm, peers } = await measure(["mlp:4", "gpt:width=8,depth=1"]);
    expect(results.map(({ engine, model }) => `${engine} ${model}`)).toEqual([
      "lethe mlp:4",
      "lethe gpt:width=8,depth=1",
    ]);
    for (const { msPerStep, shareOfGemm, compileMs, memory } of results) {
      expect(memory?.peakBytes).toBeGreaterThan(memory?.baseBytes ?? Number.POSITIVE_INFINITY);
      expect(msPerStep.minimum).toBeGreaterThan(0);
      expect(msPerStep.p90).toBeGreaterThanOrEqual(msPerStep.median);
      expect(Math.min(shareOfGemm, compileMs, gemm[0]?.gflopsPerSecond ?? 0)).toBeGreaterThan(0);
    }
    expect(peers).toEqual({});
  });

  it("sets a peer beside Lethe when their gradients agree", async () => {
    const { results, peers } = await measure(["mlp:4"], program(answer(1e-6)));
    expect(results.map(({ engine }) => engine)).toEqual(["lethe", "pytorch", "jax"]);
    expect(results[1]).toMatchObject({ gradientError: 1e-6, msPerStep: { median: 2 }, compileMs: 9 });
    expect(peers).toEqual({ pytorch: "Peer 1", jax: "Peer 1" });
  });

  it("says of a framework that it is not installed", async () => {
    const { results, peers } = await measure(["mlp:4"], program("exit 3"));
    expect(results).toHaveLength(1);
    expect(peers).toEqual({ pytorch: "not installed", jax: "not installed" });
  });

  it.each([
    ["other gradients", answer(0.01), "LETHE_NUMERIC_PEER"],
    ["a failure", "echo 'ValueError: no' >&2; exit 1", "LETHE_USAGE_PEER"],
    ["something else", "echo hello", "LETHE_USAGE_PEER"],
  ])("takes no time from a peer with %s", async (_what, text, code) => {
    await expect(measure(["mlp:4"], program(text))).rejects.toMatchObject({ code });
  });
});
