import { beforeAll, describe, expect, it } from "vitest";
import { blobs } from "../../test/support/blobs.ts";
import { samplesOf } from "../data/samples.ts";
import { consume } from "../kernel/events.ts";
import { deriveKey, keyFromSeed } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { createModel } from "../models/index.ts";
import { recipeSchema, trainByRecipe } from "../training/recipe.ts";
import type { AuditedModels } from "./audit.ts";
import { drawAuditSets } from "./audit-sets.ts";
import { type AuditEvidence, gatherEvidence } from "./evidence.ts";
import { createScorer } from "./scored-model.ts";

const shape = [1, 6, 6];
const withGroups = (samples: ReturnType<typeof blobs>) => {
  const values = new Float32Array(samples.count * samples.featureLength);
  samples.gather([...samples.labels.keys()], values);
  return samplesOf({
    idPrefix: "grouped",
    featureShape: shape,
    features: { values },
    labels: samples.labels,
    classCount: samples.classCount,
    groups: {
      side: {
        codes: Int32Array.from(samples.labels, (label) => Number(label >= 2)),
        names: ["left", "right"],
      },
    },
  });
};
const train = withGroups(blobs({ count: 160, featureShape: shape, classes: 4, seed: 1, spread: 0.3 }));
const test = withGroups(blobs({ count: 120, featureShape: shape, classes: 4, seed: 2, spread: 0.3 }));
const all = Uint32Array.from(train.labels.keys());
const forget = all.filter((position) => train.labels[position] === 3);
const retain = all.filter((position) => train.labels[position] !== 3);
const architecture = createModel("mlp:16", { inputShape: shape, classes: 4 });
const recipe = recipeSchema.parse({ epochs: 8, batchSize: 16 });
const runtime = { threads: 1, spinning: false };

let models: AuditedModels;
let found: AuditEvidence;
const evidence = (showsPictures = true): Promise<AuditEvidence> =>
  consume(gatherEvidence(models, { architecture, train, forget, showsPictures, runtime }));

beforeAll(async () => {
  const trainOn = async (positions: Uint32Array, seed: number): Promise<ParameterSet> =>
    (
      await consume(
        trainByRecipe(recipe, {
          architecture,
          samples: train.subset(positions),
          key: deriveKey(keyFromSeed(seed), "evidence"),
          runtime,
        }),
      )
    ).weights;
  const weights = {
    original: await trainOn(all, 1),
    unlearned: await trainOn(retain, 2),
    retrained: [await trainOn(retain, 3), await trainOn(retain, 4), await trainOn(retain, 5)],
  };
  const sets = drawAuditSets({ train, validation: train.subset([]), test, forget, retain });
  await using scorer = await createScorer(architecture, sets, runtime);
  const retrained = [];
  for (const tensors of weights.retrained) retrained.push(await scorer.score(tensors));
  models = {
    sets,
    weights,
    original: await scorer.score(weights.original),
    unlearned: await scorer.score(weights.unlearned),
    retrained,
    trainedWith: [],
  };
  found = await evidence();
});

describe("the evidence of an audit", () => {
  it("counts every test sample in the confusion of each model, and shows who takes the forgotten class's place", () => {
    const { confusion } = found;
    const total = (matrix: readonly (readonly number[])[] = []): number =>
      matrix.flat().reduce((a, b) => a + b, 0);
    const { count } = models.sets.test;
    expect(total(confusion?.matrices.original)).toBe(count);
    expect(total(confusion?.matrices.retrained)).toBe(3 * count);
    expect(confusion?.matrices.original[3]?.[3]).toBeGreaterThan(0);
    expect(confusion?.matrices.retrained[3]?.[3]).toBe(0);
  });

  it("gives accuracy by group with the share of the group that was forgotten", () => {
    const { groups = [] } = found;
    expect(groups.map(({ group }) => group).sort()).toEqual(["side=left", "side=right"]);
    const right = groups.find(({ group }) => group === "side=right");
    expect(right?.forgotten).toBeCloseTo(0.5, 12);
    expect(right?.original).toBeGreaterThan((right?.retrained ?? 1) + 0.2);
  });

  it("finds a retrained model nearer to its fellows than the original, sample by sample and layer by layer", () => {
    const { scatter, layers = [] } = found;
    const ofForget = scatter?.distances.find(({ set }) => set === "forget");
    expect(ofForget?.original.mean).toBeGreaterThan(3 * (ofForget?.unlearned.mean ?? Number.NaN));
    expect(scatter?.points).toHaveLength(forget.length);
    expect(layers.map(({ layer }) => layer)).toEqual(["fc2.weight", "answers"]);
    for (const row of layers) {
      expect(row.unlearnedToRetrained).toBeGreaterThan(row.originalToRetrained);
      expect(row.retrainedToRetrained).toBeLessThanOrEqual(1);
    }
  });

  it("maps the same samples for each model, alike every time, by components that are no longer than the data", async () => {
    const { embedding } = found;
    expect((await evidence(false)).embedding).toEqual(embedding);
    for (const points of [embedding?.pca.original, embedding?.umap.retrained]) {
      expect(points).toHaveLength(embedding?.samples.length ?? -1);
      expect(points?.flat().every(Number.isFinite)).toBe(true);
    }
    const spread = (axis: 0 | 1): number =>
      (embedding?.pca.original ?? []).reduce((sum, point) => sum + point[axis] ** 2, 0);
    expect(spread(0)).toBeGreaterThanOrEqual(spread(1));
    expect(embedding?.explained.original).toBeGreaterThan(0.5);
    expect(embedding?.explained.original).toBeLessThanOrEqual(1);
  });

  it("shows the pictures that changed most and what inversion draws, unless pictures are refused", async () => {
    const { pictures, inversion } = found;
    expect(pictures?.forget).toHaveLength(6);
    const [first] = pictures?.forget ?? [];
    expect(first).toMatchObject({ width: 6, height: 6, channels: 1, label: 3 });
    expect(Buffer.from(first?.pixels ?? "", "base64")).toHaveLength(36);
    expect(first?.answers.original.probability).toBeGreaterThan(0.9);
    expect(first?.answers.retrained.probability).toBeLessThan(0.1);
    expect(inversion?.label).toBe(3);
    // The original knows the class; models that never saw it draw something else.
    expect(inversion?.original.forgetResemblance).toBeGreaterThan(
      inversion?.retrained.forgetResemblance ?? 1,
    );
    const bare = await evidence(false);
    expect([bare.pictures, bare.inversion]).toEqual([undefined, undefined]);
  });
});
