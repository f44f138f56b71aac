import { beforeAll, describe, expect, it } from "vitest";
import { blobs } from "../../test/support/blobs.ts";
import { consume } from "../kernel/events.ts";
import { keyFromSeed } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { recipeSchema, trainByRecipe } from "../training/recipe.ts";
import { openModel } from "./farm/training-job.ts";
import { measureRelearning } from "./relearning.ts";

const train = blobs({ featureShape: [8], classes: 4, spread: 0.3, count: 120, seed: 1 });
const architecture = openModel({ kind: "ready", text: "mlp:16", sizes: { inputShape: [8], classes: 4 } });
const recipe = recipeSchema.parse({ epochs: 10, batchSize: 16, learningRate: 0.05 });
const runtime = { threads: 1, spinning: false };
const all = Uint32Array.from(train.labels, (_, position) => position);
const forgotten = (position: number): boolean => train.labels[position] === 1;
const forget = train.subset(all.filter(forgotten));

async function trainOn(positions: Uint32Array, seed: number): Promise<ParameterSet> {
  const run = { architecture, samples: train.subset(positions), key: keyFromSeed(seed), runtime };
  return (await consume(trainByRecipe(recipe, run))).weights;
}

describe("relearning", () => {
  let original: ParameterSet;
  let retrained: ParameterSet[];
  beforeAll(async () => {
    original = await trainOn(all, 1);
    const kept = all.filter((position) => !forgotten(position));
    retrained = [await trainOn(kept, 2), await trainOn(kept, 3), await trainOn(kept, 4)];
  });
  const measure = (unlearned: ParameterSet) =>
    consume(
      measureRelearning({
        architecture,
        recipe,
        forget,
        original,
        unlearned,
        retrained: retrained.slice(1),
        key: keyFromSeed(5),
        runtime,
      }),
    );

  it("takes a model that forgot nothing no step, and a retrained one as many as others", async () => {
    const kept = await measure(original);
    expect(kept.steps).toMatchObject({ original: 0, unlearned: 0 });
    expect(kept.anamnesis).toBeLessThan(0.1);
    const forgot = await measure(retrained[0] as ParameterSet);
    expect(forgot.steps.unlearned).toBeGreaterThan(0);
    expect(forgot.anamnesis).toBeGreaterThan(0.4);
    expect(forgot.anamnesis).toBeLessThan(2.5);
    expect(forgot.steps.unlearned).toBeLessThan(forgot.cap);
  });
});
