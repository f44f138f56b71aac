import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SimulationInput } from "../../src/federation/simulation/config.ts";
import { runTiny } from "./tiny-simulation.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lethe-modes-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const ALPHA = -0.2;
const exact = { codec: { quantiser: "none" }, references: { retrain: false } } as const;
const medu = { method: "medu", settings: { alpha: ALPHA } } as const;

function run(name: string, input: SimulationInput) {
  return runTiny(join(directory, name), { ...exact, ...input });
}

describe("a simulation whose history is no full one", () => {
  it("forgets from sums what it forgets from all records, in a fraction of the bytes", async () => {
    const unlearn = { ...medu, clients: [0, 2] };
    const full = await run("full", { rounds: 8, unlearn });
    const sums = await run("sums", {
      rounds: 8,
      unlearn,
      historyMode: { mode: "accumulator", alpha: ALPHA },
    });
    expect(sums.trained.digest).toBe(full.trained.digest);
    let error = 0;
    let size = 0;
    for (const [i, weight] of full.unlearned.weights.entries()) {
      error += (weight - (sums.unlearned.weights[i] as number)) ** 2;
      size += (weight - (full.trained.weights[i] as number)) ** 2;
    }
    // Half precision keeps 11 bits, and each of eight rounds rounds once.
    expect(Math.sqrt(error / size)).toBeLessThan(2e-3);
    expect(sums.evidence).toMatchObject({ rounds: 8, correctedRounds: 8, recordsRead: 0, keptClients: 3 });
    expect(sums.storage.recordBytes).toBe(0);
    expect(sums.storage.sumBytes).toBeLessThan(full.storage.recordBytes / 10);
  });

  it("takes a client out of the last rounds alone when asked, as a full history's last rounds do", async () => {
    const historyMode = { mode: "window", rounds: 2 } as const;
    const window = await run("window", { rounds: 5, historyMode, unlearn: { ...medu, scope: "window" } });
    expect(window.evidence).toMatchObject({ rounds: 5, correctedRounds: 2, recordsRead: 10 });
    expect(window.storage.entries).toMatchObject({ stored: 10, dropped: 15 });
    expect(window.correctionNorm).toBeGreaterThan(0);
  });

  it("is refused before it is trained where the rule could not work", async () => {
    const historyMode = { mode: "accumulator", alpha: ALPHA } as const;
    await expect(run("refused", { historyMode })).rejects.toMatchObject({ code: "LETHE_USAGE_MODE" });
    expect(existsSync(join(directory, "refused", "main.db"))).toBe(false);
  });
});

describe("a simulation with a budget for its history", () => {
  it.each([40_000, 120_000])("fills %d bytes to within two per cent", async (historyBudgetBytes) => {
    const outcome = await runTiny(join(directory, "budget"), {
      rounds: 6,
      historyBudgetBytes,
      references: { retrain: false },
      unlearn: medu,
    });
    expect(Math.abs(outcome.storage.bytesOnDisk / historyBudgetBytes - 1)).toBeLessThan(0.02);
  });

  it("is refused before it is trained where the budget cannot be met", async () => {
    const codec = { quantiser: "none" } as const;
    for (const input of [{ historyBudgetBytes: 10_000 }, { historyBudgetBytes: 1e6, codec }]) {
      await expect(runTiny(join(directory, "refused"), { ...input, unlearn: medu })).rejects.toMatchObject({
        code: "LETHE_USAGE_BUDGET",
      });
    }
  });
});
