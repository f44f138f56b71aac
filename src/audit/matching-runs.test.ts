import { describe, expect, it } from "vitest";
import type { TrainingRun } from "../storage/training-run.ts";
import { recipeSchema } from "../training/recipe.ts";
import { forgottenBetween, referenceMismatches, runMismatches } from "./matching-runs.ts";

const original: TrainingRun = {
  data: "digits",
  model: "mlp",
  seed: 1,
  validation: 0.1,
  settings: recipeSchema.parse({}),
  digest: "sha256:a",
  requests: [],
};
const first = { spec: "class:3", method: "scrub", positions: [1, 4] };
const second = { spec: "class:5", method: "scrub", positions: [2] };
const once: TrainingRun = { ...original, digest: "sha256:b", requests: [first] };
const twice: TrainingRun = { ...original, digest: "sha256:c", requests: [first, second] };

describe("two runs of an audit", () => {
  it("match when one is what unlearning made of the other, in one step or several", () => {
    expect(runMismatches(original, once, "sha256:a", 6)).toEqual([]);
    expect(runMismatches(original, twice, "sha256:b", 6)).toEqual([]);
    expect(runMismatches(once, twice, "sha256:b", 6)).toEqual([]);
  });

  it("do not match when data, model, seed, recipe or earlier requests differ, or the weights came from elsewhere", () => {
    const settings = recipeSchema.parse({ epochs: 9 });
    for (const change of [
      { data: "mnist" },
      { model: "cnn" },
      { seed: 2 },
      { settings },
      { validation: 0 },
    ]) {
      expect(runMismatches({ ...original, ...change }, once, "sha256:a", 6)[0]).toMatch(
        Object.keys(change)[0] as string,
      );
    }
    expect(runMismatches({ ...original, requests: [second] }, once, "sha256:a", 6)[0]).toMatch(
      /does not name/,
    );
    expect(runMismatches(original, once, "sha256:x", 6)[0]).toMatch(/digests differ/);
  });

  it("say what was forgotten between them, and what no later reference may see", () => {
    const { forget, retain } = forgottenBetween(once, twice, 6);
    expect([[...forget], [...retain]]).toEqual([[2], [0, 3, 5]]);
    expect([...forgottenBetween(original, twice, 6).forget]).toEqual([1, 2, 4]);
    expect([...forgottenBetween(original, original, 3).forget]).toEqual([]);
  });

  it("do not match when positions are forgotten that the training part does not have", () => {
    expect(runMismatches(original, once, "sha256:a", 4)[0]).toMatch(
      /1 forgotten position is not of the training part/,
    );
  });
});

describe("a run given as a reference", () => {
  const digests = { retain: "sha256:r", all: "sha256:all" } as never;
  const refusal = (changes: Partial<TrainingRun>) =>
    referenceMismatches("out/ref", { ...original, seed: 7, ...changes }, once, digests);

  it("is one when it was trained on the retained samples alone, by the recorded digest", () => {
    expect(refusal({ trainedOn: "sha256:r" })).toEqual([]);
  });

  it("is none when it saw the forgotten samples, does not say what it saw, or is of another training", () => {
    expect(refusal({ trainedOn: "sha256:all" })[0]).toMatch(/out\/ref was trained on the forgotten samples/);
    expect(refusal({ trainedOn: "sha256:x" })[0]).toMatch(/other samples than the retained/);
    expect(refusal({})[0]).toMatch(/does not say/);
    expect(refusal({ trainedOn: "sha256:r", model: "cnn" })[0]).toMatch(/differs in model/);
  });
});
