import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blobs } from "../../test/support/blobs.ts";
import { consume } from "../kernel/events.ts";
import { recipeSchema } from "../training/recipe.ts";
import { drawAuditSets } from "./audit-sets.ts";
import { attackByManyModels, type ManyModelsFigure } from "./many-models.ts";

const sizes = { featureShape: [8], classes: 3, spread: 0.4 };
const train = blobs({ ...sizes, count: 60, seed: 1 });
const test = blobs({ ...sizes, count: 200, seed: 2 });
const all = Uint32Array.from(train.labels, (_, position) => position);
const [forget, retain] = [all.subarray(0, 15), all.subarray(15)];
const data = { train, validation: blobs({ ...sizes, count: 120, seed: 3 }), test, forget, retain };

let store: string;
beforeAll(() => {
  store = mkdtempSync(join(tmpdir(), "lethe-many-"));
});
afterAll(() => rmSync(store, { recursive: true }));

function attack(method: string): Promise<readonly ManyModelsFigure[]> {
  return consume(
    attackByManyModels({
      ...data,
      model: { kind: "ready", text: "mlp:16", sizes: { inputShape: [8], classes: 3 } },
      recipe: recipeSchema.parse({ epochs: 20, batchSize: 8, learningRate: 0.1 }),
      sets: drawAuditSets(data),
      unlearn: { method, settings: {}, scope: "sample" },
      count: 12,
      seed: 1,
      runtime: { threads: 1, spinning: false },
      farm: { store, workers: 2 },
    }),
  );
}
const figure = (figures: readonly ManyModelsFigure[], id: string, set: string): ManyModelsFigure =>
  figures.find((entry) => entry.id === id && entry.set === set) as ManyModelsFigure;

describe("an attack by many models", () => {
  it("reads the same for a method that does nothing as for the originals, and at the floor for retraining", async () => {
    const idle = await attack("do-nothing");
    for (const { original, unlearned } of idle) expect(unlearned).toBe(original);
    const retrained = await attack("retrain");
    const lira = figure(retrained, "u-lira", "forget");
    // What is learnt of the forgotten samples is seen in the originals and not in retrained models.
    expect(lira.original).toBeGreaterThan(lira.retrained + 0.1);
    expect(lira.unlearned).toBeLessThan(lira.original - 0.05);
    expect(retrained.map(({ id, set }) => `${id} ${set}`)).toEqual([
      ...["u-lira forget", "u-lira forget", "u-lira retain", "u-lira retain"],
      ...["klom forget", "klom forget", "klom retain", "klom retain", "klom unseen", "klom unseen"],
    ]);
    // Too few models for the competition's scale.
    expect(retrained.some(({ id }) => id === "forgetting-quality")).toBe(false);
  });
});
