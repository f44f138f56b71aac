import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blobs } from "../../test/support/blobs.ts";
import { consume } from "../kernel/events.ts";
import { keyFromSeed } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { createPredictor } from "../training/predictor.ts";
import { recipeSchema, trainByRecipe } from "../training/recipe.ts";
import { type AuditOutcome, type AuditRequest, audit } from "./audit.ts";
import { documentOf } from "./audit-document.ts";
import { failingControls } from "./controls.ts";
import { type ModelSource, openModel } from "./farm/training-job.ts";

const sizes = { featureShape: [24], classes: 5, spread: 0.3 };
const train = blobs({ ...sizes, count: 200, seed: 1 });
const test = blobs({ ...sizes, count: 200, seed: 2 });
const model: ModelSource = { kind: "ready", text: "mlp:32", sizes: { inputShape: [24], classes: 5 } };
const architecture = openModel(model);
const recipe = recipeSchema.parse({ epochs: 15, batchSize: 16, learningRate: 0.02 });
const all = Uint32Array.from(train.labels, (_, position) => position);
const [forget, retain] = [
  all.filter((position) => train.labels[position] === 1),
  all.filter((position) => train.labels[position] !== 1),
];
const runtime = { threads: 1, spinning: false };

let store: string;
let original: ParameterSet;
let retrained: ParameterSet;

async function trainOn(positions: Uint32Array, seed: number): Promise<ParameterSet> {
  const run = { architecture, samples: train.subset(positions), key: keyFromSeed(seed), runtime };
  return (await consume(trainByRecipe(recipe, run))).weights;
}

beforeAll(async () => {
  store = mkdtempSync(join(tmpdir(), "lethe-audit-"));
  original = await trainOn(all, 1);
  retrained = await trainOn(retain, 2);
});
afterAll(() => rmSync(store, { recursive: true }));

function judge(unlearned: ParameterSet, changes: Partial<AuditRequest> = {}): Promise<AuditOutcome> {
  return consume(
    audit({
      data: { train, validation: train.subset([]), test, forget, retain },
      model,
      recipe,
      original,
      unlearned,
      references: 6,
      seed: 3,
      runtime,
      farm: { store, workers: 2 },
      ...changes,
    }),
  );
}

describe("an audit of forgetting a class", () => {
  it("passes a model that was retrained", async () => {
    const outcome = await judge(retrained);
    expect([outcome.verdict, outcome.reasons]).toEqual(["pass", [expect.any(String)]]);
    const { metrics } = documentOf(outcome);
    expect(metrics.ua).toMatchObject({ passes: true, tells: true });
    expect(metrics.ua?.retrained).toBeGreaterThan(0.9);
    for (const { ci, floor, limits } of Object.values(metrics)) {
      expect(ci[0]).toBeLessThanOrEqual(ci[1]);
      expect(floor).toBeGreaterThanOrEqual(0);
      expect(limits[0]).toBeLessThanOrEqual(limits[1]);
    }
  });

  it("fails the original itself, a model with a new head on old features, and noise", async () => {
    const controls = await consume(
      failingControls({
        architecture,
        weights: original,
        recipe,
        forget: train.subset(forget),
        retain: train.subset(retain),
        key: keyFromSeed(77),
        runtime,
      }),
    );
    const noisy = new Map(
      [...original].map(([name, values]) => [
        name,
        values.map((value, at) => value + (at % 2 ? 0.05 : -0.05)),
      ]),
    );
    for (const unlearned of [original, controls["head-only"] as ParameterSet, noisy]) {
      expect((await judge(unlearned)).verdict).toBe("fail");
    }
  });

  it("does not depend on the number of workers and is the same when asked again", async () => {
    const documents = [await judge(retrained), await judge(retrained, { farm: { store, workers: 1 } })].map(
      documentOf,
    );
    expect(documents[1]).toEqual(documents[0]);
  });
});

describe("an audit refuses", () => {
  const cases: readonly (readonly [string, Partial<AuditRequest>, RegExp])[] = [
    ["too few references", { references: 2 }, /at least 4 are needed/],
    [
      "an empty request",
      { data: { train, validation: train.subset([]), test, forget: new Uint32Array(), retain: all } },
      /Nothing was forgotten/,
    ],
    [
      "references that see forgotten samples",
      { data: { train, validation: train.subset([]), test, forget, retain: all } },
      /trained on forgotten samples/,
    ],
    [
      "data of one class",
      {
        data: {
          train: train.subset(forget),
          validation: train.subset([]),
          test,
          forget: Uint32Array.from({ length: 12 }, (_, at) => at),
          retain: Uint32Array.from({ length: 20 }, (_, at) => 12 + at),
        },
      },
      /of one class/,
    ],
    [
      "too few unseen samples",
      {
        data: { train, validation: train.subset([]), test: test.subset([0, 1, 2, 3, 4, 5]), forget, retain },
      },
      /unseen/,
    ],
  ];
  for (const [what, changes, reason] of cases) {
    it(`${what}, and says why`, async () => {
      const { verdict, reasons, figures } = await judge(retrained, changes);
      expect([verdict, figures]).toEqual(["refused", []]);
      expect(reasons[0]).toMatch(reason);
    });
  }

  it("weights that are no numbers, and a reference that is the unlearned model itself", async () => {
    const broken = new Map([...retrained].map(([name, values]) => [name, values.map(() => Number.NaN)]));
    expect((await judge(broken)).reasons[0]).toMatch(/no numbers/);
    const outcome = await judge(retrained);
    expect(outcome.models?.retrained).toHaveLength(6);
    const same = await judge(await trainOn(retain, "reference 0 of 3" as never));
    expect([same.verdict, same.reasons[0]]).toEqual(["refused", expect.stringMatching(/judged by itself/)]);
  });
});

describe("the control that is ruined", () => {
  it("still gives scores that are numbers where ascent at the training's own rate goes past them", async () => {
    const controls = await consume(
      failingControls({
        architecture,
        weights: original,
        // Weights then stay finite for an epoch in which the scores no longer are.
        recipe: recipeSchema.parse({ ...recipe, learningRate: 1e8 }),
        forget: train.subset(forget),
        retain: train.subset(retain),
        key: keyFromSeed(77),
        runtime,
      }),
    );
    await using predictor = await createPredictor(architecture, runtime);
    const scores = await predictor.logitsOf(controls.ruin as ParameterSet, train);
    expect(scores.every(Number.isFinite)).toBe(true);
  });
});
