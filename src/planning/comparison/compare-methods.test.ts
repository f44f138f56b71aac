import { describe, expect, it } from "vitest";
import { blobDataset } from "../../../test/support/blobs.ts";
import { divideDataset } from "../../data/parts.ts";
import { consume } from "../../kernel/events.ts";
import { keyFromSeed } from "../../kernel/key.ts";
import { createModel } from "../../models/index.ts";
import { recipeSchema } from "../../training/recipe.ts";
import type { ComparisonPlan } from "./case.ts";
import { compareMethods } from "./compare-methods.ts";
import { trialsOf } from "./tune.ts";

const dataset = blobDataset({ train: 200, test: 80, featureShape: [6], classes: 4, spread: 0.1 });
const parts = divideDataset(dataset, { validation: 0.2 });
const [forgotten] = parts.train.positionsByClass() as [Uint32Array];
const rest = Uint32Array.from(parts.train.labels.keys()).filter((at) => parts.train.labels[at] !== 0);
const plan: ComparisonPlan = {
  dataset,
  parts,
  architecture: createModel("mlp:8", { inputShape: [6], classes: 4 }),
  recipe: recipeSchema.parse({ epochs: 12, batchSize: 16 }),
  scope: "class",
  forgetClasses: [0],
  forget: parts.train.subset(forgotten),
  retain: parts.train.subset(rest),
  methods: ["do-nothing", "random-labels", "gradient-ascent"],
  seeds: 2,
  trials: 2,
  key: keyFromSeed(9),
  runtime: { threads: 1, spinning: false },
};

describe("compareMethods", () => {
  it("judges by distance to retraining: the references bound the scale, and twice gives the same", async () => {
    const { rows, references, failures } = await consume(compareMethods(plan));
    expect(failures).toEqual([]);
    expect(rows.map(({ method, seed }) => `${method} ${seed}`)).toHaveLength(6);
    for (const { original, retrained } of references) {
      expect([retrained.gap, retrained.tow, retrained.ua]).toEqual([0, 1, 1]);
      expect(original.gap).toBeGreaterThan(0.2);
    }
    for (const row of rows.filter(({ method }) => method === "do-nothing")) {
      expect(row.figures).toEqual(references[row.seed]?.original);
      expect(row.gradientEvaluations).toBe(0);
    }
    const again = await consume(compareMethods(plan));
    expect(again.rows.map(({ digest }) => digest)).toEqual(rows.map(({ digest }) => digest));
  });

  it("reports a method that throws and goes on with the others", async () => {
    const poor = { ...plan, methods: ["pgu", "do-nothing"], seeds: 1 };
    const without = { ...poor, parts: { ...parts, validation: parts.validation.subset([]) } };
    const { rows, failures } = await consume(compareMethods(without));
    expect(failures.map(({ method, code }) => [method, code])).toEqual([["pgu", "LETHE_DATA_EMPTY"]]);
    expect(rows.map(({ method }) => method)).toEqual(["do-nothing"]);
  });
});

describe("trialsOf", () => {
  it("tries the defaults first, then the grid in turns over its settings", () => {
    const method = { grid: { rate: [1, 2, 3], depth: [4] } };
    expect(trialsOf(method, 9)).toEqual([{}, { rate: 1 }, { depth: 4 }, { rate: 2 }, { rate: 3 }]);
    expect(trialsOf(method, 2)).toEqual([{}, { rate: 1 }]);
  });
});
