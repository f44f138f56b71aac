import { describe, expect, it } from "vitest";
import { anamnesisIndex, relearnTime } from "./relearn-time.ts";

describe("relearn time", () => {
  it("counts the steps until the original's accuracy is back within the margin", () => {
    expect(relearnTime([0.2, 0.6, 0.86, 0.9], 0.9)).toBe(2);
    expect(relearnTime([0.2, 0.6, 0.86, 0.9], 0.9, 0)).toBe(3);
    expect(relearnTime([0.95], 0.9)).toBe(0);
  });

  it("is none, not a large number, when the run ended before", () => {
    expect(relearnTime([0.1, 0.2], 0.9)).toBeUndefined();
  });

  it("refuses an empty run, NaN and percentages", () => {
    expect(() => relearnTime([], 0.9)).toThrow(/at least 1/);
    expect(() => relearnTime([Number.NaN], 0.9)).toThrow(/\[0, 1\]/);
    expect(() => relearnTime([0.5], 90)).toThrow(/fraction/);
  });
});

describe("the anamnesis index", () => {
  it("is 1 for a model that relearns as a retrained one, small for one that still knows", () => {
    expect(anamnesisIndex(7, 7)).toBe(1);
    expect(anamnesisIndex(0, 10)).toBeLessThan(0.01);
    expect(anamnesisIndex(30, 10)).toBeGreaterThan(2.9);
    expect(anamnesisIndex(0, 0)).toBe(1);
    expect(() => anamnesisIndex(-1, 3)).toThrow(/from 0 on/);
  });
});
