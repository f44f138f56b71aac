import { describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../kernel/key.ts";
import { competitionScore, forgettingEpsilons, forgettingQuality } from "./forgetting-quality.ts";
import type { MarginTable } from "./margins.ts";

const stream = randomStream(keyFromSeed("forgetting quality"));
const models = (count: number, shift: number, spread = 1): MarginTable =>
  Array.from({ length: count }, () =>
    Float64Array.from({ length: 6 }, () => shift + spread * stream.normal()),
  );
const quality = (unlearned: MarginTable, retrained: MarginTable) =>
  forgettingQuality(forgettingEpsilons(unlearned, retrained), unlearned.length);

describe("forgetting quality", () => {
  it("falls as unlearned models move away from retrained ones, either way", () => {
    const retrained = models(100, 0);
    const same = quality(models(100, 0), retrained);
    expect(same).toBeGreaterThan(quality(models(100, 1.5), retrained));
    expect(same).toBeGreaterThan(quality(models(100, -1.5), retrained));
    expect(quality(models(100, 30), retrained)).toBe(0);
  });

  it("is 0 for unlearned models that hardly vary: a peak betrays even in the right place", () => {
    expect([...forgettingEpsilons(models(30, 0, 1e-4), models(30, 0))]).toEqual(new Array(6).fill(50));
  });

  it("calls the sample of the larger median positive, whatever the outliers", () => {
    // At a threshold of 19 one retrained of 20 is taken for unlearned, and nine unlearned are missed.
    const table = (values: readonly number[]) => values.map((value) => Float64Array.of(value));
    const unlearned = table([-30, ...Array.from({ length: 19 }, (_, index) => 11 + index)]);
    const retrained = table([-50, ...Array.from({ length: 19 }, (_, index) => 1 + index)]);
    const expected = Math.log((1 - 1e-5 - 9 / 20) / (1 / 20));
    expect(forgettingEpsilons(unlearned, retrained)[0]).toBeCloseTo(expected, 9);
    expect(forgettingEpsilons(retrained, unlearned)[0]).toBeCloseTo(expected, 9);
  });

  it("does not tell apart what is one and the same constant", () => {
    const constant = (value: number) => Array.from({ length: 5 }, () => Float64Array.of(value));
    expect(forgettingEpsilons(constant(2), constant(2))[0]).toBe(0);
    expect(forgettingEpsilons(constant(2), constant(3))[0]).toBe(50);
  });

  it("gives half the points with every half unit, none beyond what so many models can show", () => {
    expect(forgettingQuality([0, 0.5, 1], 512)).toBeCloseTo((1 + 1 / 2 + 1 / 4) / 3, 12);
    expect(forgettingQuality([6.9], 512)).toBe(2 ** -13);
    expect(forgettingQuality([7.1], 512)).toBe(0);
    expect(forgettingQuality([2.2], 8)).toBe(0);
  });

  it("is worth less with less utility", () => {
    const equal = { unlearned: 0.9, retrained: 0.9 };
    expect(competitionScore(0.5, equal, equal)).toBe(0.5);
    expect(competitionScore(0.5, { unlearned: 0.45, retrained: 0.9 }, equal)).toBe(0.25);
    expect(() => competitionScore(0.5, equal, { unlearned: 0.1, retrained: 0 })).toThrow(/some accuracy/);
  });

  it("refuses unequal numbers of models and too few", () => {
    expect(() => forgettingEpsilons(models(5, 0), models(6, 0))).toThrow(/one length/);
    expect(() => forgettingEpsilons(models(2, 0), models(2, 0))).toThrow(/at least 3/);
  });
});
