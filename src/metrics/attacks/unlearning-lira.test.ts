import { describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../../kernel/key.ts";
import type { MarginTable } from "../margins.ts";
import { mean } from "../statistics/summary.ts";
import { unlearningLira } from "./unlearning-lira.ts";

const stream = randomStream(keyFromSeed("unlearning lira"));
const difficulty = Array.from({ length: 80 }, () => 4 * stream.normal());
const models = (count: number, shiftOf: (sample: number) => number): MarginTable =>
  Array.from({ length: count }, () =>
    Float64Array.from(difficulty, (centre, sample) => centre + shiftOf(sample) + stream.normal()),
  );

describe("U-LiRA", () => {
  it("guesses between models of one law, and is not fooled below ½ by its own fit", () => {
    const { meanAccuracy, meanAuc } = unlearningLira(
      models(32, () => 0),
      models(32, () => 0),
    );
    expect(Math.abs(meanAccuracy - 0.5)).toBeLessThan(0.03);
    expect(Math.abs(meanAuc - 0.5)).toBeLessThan(0.03);
  });

  it("sees unlearning that does too little as well as too much, sample by sample", () => {
    const never = models(16, () => 0);
    expect(
      unlearningLira(
        models(16, () => 3),
        never,
      ).meanAccuracy,
    ).toBeGreaterThan(0.85);
    expect(
      unlearningLira(
        models(16, () => -3),
        never,
      ).meanAccuracy,
    ).toBeGreaterThan(0.85);
  });

  it("keeps the few samples that are badly protected out of the mean's shade", () => {
    const found = unlearningLira(
      models(16, (sample) => (sample < 8 ? 6 : 0)),
      models(16, () => 0),
    );
    expect(found.meanAccuracy).toBeLessThan(0.6);
    expect(found.p95Accuracy).toBeGreaterThan(0.95);
    expect(mean(found.accuracies.subarray(0, 8))).toBeGreaterThan(0.95);
  });

  it("serves retained samples just as well: harm to them shows", () => {
    const retained = unlearningLira(
      models(12, () => 1.5),
      models(12, () => 0),
    );
    expect(retained.meanAccuracy).toBeGreaterThan(0.65);
  });

  it("refuses fewer than four models a side and tables of different samples", () => {
    const few = models(3, () => 0);
    expect(() => unlearningLira(few, few)).toThrow(/at least 4/);
    const four = models(4, () => 0);
    expect(() => unlearningLira(four, [...four.slice(1), Float64Array.of(1)])).toThrow(/one length/);
  });
});
