import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { blobDataset } from "../../../test/support/blobs.ts";
import { divideDataset } from "../../data/parts.ts";
import { consume } from "../../kernel/events.ts";
import { recipeSchema } from "../../training/recipe.ts";
import type { ComparisonPlan } from "./case.ts";
import { compareMethods } from "./compare-methods.ts";
import { searchSettings } from "./tune.ts";

const dataset = blobDataset({ train: 200, test: 80, featureShape: [6], classes: 4, spread: 0.1 });
const parts = divideDataset(dataset, { validation: 0.2 });
const [forgotten] = parts.train.positionsByClass() as [Uint32Array];
const rest = Uint32Array.from(parts.train.labels.keys()).filter((at) => parts.train.labels[at] !== 0);
const directory = mkdtempSync(join(tmpdir(), "lethe-comparison-"));
afterAll(() => rmSync(directory, { recursive: true }));
const plan: ComparisonPlan = {
  parts,
  model: { kind: "ready", text: "mlp:8", sizes: { inputShape: [6], classes: 4 } },
  recipe: recipeSchema.parse({ epochs: 12, batchSize: 16 }),
  scope: "class",
  forgetClasses: [0],
  forget: forgotten,
  retain: rest,
  methods: ["do-nothing", "random-labels", "gradient-ascent"],
  seeds: 2,
  trials: 2,
  references: 1,
  seed: 9,
  farm: { store: join(directory, "first"), workers: 2 },
  versions: {},
};

describe("compareMethods", () => {
  it("judges by distance to retraining: the references bound the scale, and twice gives the same", async () => {
    const { rows, references, failures, klom } = await consume(compareMethods(plan));
    expect(failures).toEqual([]);
    expect(rows.map(({ method, seed }) => `${method} ${seed}`)).toEqual(
      ["retrain", ...(plan.methods ?? [])].flatMap((method) => [`${method} 0`, `${method} 1`]),
    );
    for (const { original, retrained } of references) {
      expect([retrained.gap, retrained.tow, retrained.towMia, retrained.ua]).toEqual([0, 1, 1, 1]);
      expect(original.gap).toBeGreaterThan(0.2);
    }
    const of = (method: string) => rows.filter((row) => row.method === method);
    for (const row of of("do-nothing")) {
      expect(row.figures).toEqual(references[row.seed]?.original);
      expect([row.gradientEvaluations, row.gradientShare]).toEqual([0, 0]);
    }
    for (const row of of("retrain")) expect([row.gradientShare, row.timeShare]).toEqual([1, 1]);
    // A third retrained model is at the floor, the trained one far from it.
    expect(klom["do-nothing"]).toEqual(klom.trained);
    expect(klom.trained?.mean).toBeGreaterThan(5 * (klom.retrain?.mean ?? Number.NaN));
    const elsewhere = { ...plan, farm: { store: join(directory, "second"), workers: 1 } };
    const again = await consume(compareMethods(elsewhere));
    expect(again.rows.map(({ digest }) => digest)).toEqual(rows.map(({ digest }) => digest));
  });

  it("goes on after an interruption with the cells that are missing", async () => {
    const controller = new AbortController();
    const farm = { store: join(directory, "third"), workers: 1, signal: controller.signal };
    let cells = 0;
    const interrupted = consume(compareMethods({ ...plan, farm }), (event) => {
      if (event.type === "step" && "method" in event.scalars && ++cells === 3) controller.abort();
    });
    await expect(interrupted).rejects.toThrow(expect.objectContaining({ code: "LETHE_CANCELLED" }));
    const ran: string[] = [];
    const rest = { ...plan, farm: { store: join(directory, "third"), workers: 1 } };
    const { rows } = await consume(compareMethods(rest), (event) => {
      if (event.type === "step" && "method" in event.scalars) ran.push(String(event.scalars.method));
    });
    expect(rows).toHaveLength(8);
    expect(ran.length).toBeGreaterThan(0);
    expect(ran.length).toBeLessThanOrEqual(5);
  });

  it("reports a method that throws and goes on with the others", async () => {
    const poor = { ...plan, methods: ["pgu", "do-nothing"], seeds: 1 };
    const without = { ...poor, parts: { ...parts, validation: parts.validation.subset([]) } };
    const { rows, failures } = await consume(compareMethods(without));
    expect(failures.map(({ method, code }) => [method, code])).toEqual([["pgu", "LETHE_DATA_EMPTY"]]);
    expect(rows.map(({ method }) => method)).toEqual(["retrain", "do-nothing"]);
  });
});

describe("searchSettings", () => {
  const method = { grid: { rate: [1, 2, 3], depth: [4, 5] } };
  /** Best at rate 2 with depth 5; rate 3 diverges. */
  const score = async ({ rate = 0, depth = 0 }: Readonly<Record<string, unknown>>) =>
    rate === 3 ? undefined : Number(depth) - Math.abs(Number(rate) - 2);

  it("goes from the best of one setting to the next", async () => {
    const tried: unknown[] = [];
    const best = await searchSettings(method, 9, (settings) => {
      tried.push(settings);
      return score(settings);
    });
    expect(best).toEqual({ rate: 2, depth: 5 });
    expect(tried).toEqual([
      {},
      { rate: 1 },
      { rate: 2 },
      { rate: 3 },
      { rate: 2, depth: 4 },
      { rate: 2, depth: 5 },
    ]);
  });

  it("keeps to its trials, and to the defaults where there is nothing to choose or all diverge", async () => {
    expect(await searchSettings(method, 2, score)).toEqual({ rate: 1 });
    expect(await searchSettings(method, 1, score)).toEqual({});
    expect(await searchSettings({ grid: {} }, 9, score)).toEqual({});
    expect(await searchSettings(method, 9, async () => undefined)).toEqual({});
  });
});
