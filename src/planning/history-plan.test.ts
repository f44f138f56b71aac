import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Retention } from "../history/retention.ts";
import { keyFromSeed, randomStream } from "../kernel/key.ts";
import { layoutOf } from "../kernel/layout.ts";
import { createHistory } from "../storage/sqlite/history-store.ts";
import { chooseHistory } from "./choose-history.ts";
import { predictHistoryBytes } from "./history-size.ts";

interface Case {
  readonly parameters: number;
  readonly clients: number;
  readonly rounds: number;
  readonly quantiser: "z" | "tcq8" | "none";
  readonly bits: number;
  readonly retention: Retention;
}

const FULL: Retention = { mode: "full" };
const cases: readonly Case[] = [
  { parameters: 5000, clients: 5, rounds: 10, quantiser: "z", bits: 2, retention: FULL },
  { parameters: 12_000, clients: 3, rounds: 6, quantiser: "tcq8", bits: 1.1, retention: FULL },
  { parameters: 3000, clients: 6, rounds: 5, quantiser: "none", bits: 32.1, retention: FULL },
  {
    parameters: 4000,
    clients: 5,
    rounds: 12,
    quantiser: "z",
    bits: 1,
    retention: { mode: "window", rounds: 4 },
  },
  {
    parameters: 4000,
    clients: 6,
    rounds: 20,
    quantiser: "z",
    bits: 1,
    retention: { mode: "accumulator", alpha: -0.1 },
  },
  {
    parameters: 4000,
    clients: 4,
    rounds: 8,
    quantiser: "z",
    bits: 1.5,
    retention: { mode: "hybrid", rounds: 3, alpha: -0.1 },
  },
];

/** Bytes on disk of a history of drawn updates: rows of different scales, as those of a network have. */
async function measure({ parameters, clients, rounds, quantiser, bits, retention }: Case): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), "lethe-plan-"));
  try {
    const columns = 100;
    const layout = layoutOf([{ name: "w", shape: [parameters / columns, columns], role: "parameter" }]);
    const stream = randomStream(keyFromSeed(parameters));
    const draw = () =>
      Float32Array.from(
        { length: parameters },
        (_, i) => (0.01 * stream.normal()) / (1 + Math.floor(i / columns)),
      );
    const rate = quantiser === "none" ? {} : { rate: { bitsPerParameter: bits } };
    const mode = retention.mode === "full" ? {} : { retention };
    const history = await createHistory(join(directory, "history.db"), {
      layout,
      key: keyFromSeed(1),
      facts: {},
      initialWeights: draw(),
      codec: { quantiser, ...rate, ...mode },
    });
    for (let round = 0; round < rounds; round++) {
      await history.acceptRound({
        round,
        participants: Array.from({ length: clients }, (_, i) => ({
          client: String(i),
          weight: 10 + i,
          update: draw(),
        })),
        weights: draw(),
        checkpoint: Uint8Array.of(round),
      });
    }
    await history.compact();
    const { bytesOnDisk } = await history.storage();
    await history.close();
    return bytesOnDisk;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe("the predicted size of a history", () => {
  it.each(cases)("is within 5 % of the measured one: %o", async (one) => {
    const predicted = predictHistoryBytes(one, one.retention, one.bits);
    const measured = await measure(one);
    expect(Math.abs(predicted / measured - 1)).toBeLessThan(0.05);
  });
});

describe("the choice of a history", () => {
  const size = { rounds: 400, clients: 20, parameters: 50_000 };
  const choose = (budget: number, ...wants: Parameters<typeof chooseHistory>[2]) =>
    chooseHistory(size, budget, wants, -0.15);

  it("keeps all rounds while they fit, exactly or at the best rate, and stays within the budget", () => {
    expect(choose(2e9)).toMatchObject({ retention: FULL, codec: { quantiser: "none" } });
    for (const budget of [60e6, 100e6, 300e6]) {
      const plan = choose(budget);
      expect(plan.retention).toEqual(FULL);
      expect(plan.predictedBytes).toBeLessThanOrEqual(budget);
      expect(plan.predictedBytes).toBeGreaterThan(0.98 * budget);
    }
  });

  it("falls back to sums with a window, a window, and sums, as far as what is wanted stays possible", () => {
    expect(choose(6e6, "forget", "forget-window").retention).toMatchObject({ mode: "hybrid" });
    expect(choose(6e6, "late-choice", "forget-window").retention).toMatchObject({ mode: "window" });
    expect(choose(3.4e6, "forget").retention).toMatchObject({ mode: "accumulator" });
    expect(choose(3.4e6, "forget").codec).toBeUndefined();
  });

  it("refuses a budget that nothing fits, with the least that would do", () => {
    expect(() => choose(6e6, "audit")).toThrow(expect.objectContaining({ code: "LETHE_USAGE_BUDGET" }));
    let least = 0;
    try {
      choose(1000, "forget");
    } catch (error) {
      least = Number((error as { details: { leastBytes: number } }).details.leastBytes);
    }
    expect(choose(least, "forget").predictedBytes).toBeLessThanOrEqual(least);
  });
});
