import { describe, expect, it } from "vitest";
import { adaptiveUnlearningScore, normalisedUnlearningScore } from "./composite-scores.ts";

describe("the adaptive unlearning score", () => {
  it("wants a forgotten class at 0 and forgotten samples like test samples", () => {
    const kept = { originalTest: 0.9, test: 0.9 };
    expect(adaptiveUnlearningScore({ ...kept, forget: 0 }, "class")).toBe(1);
    expect(adaptiveUnlearningScore({ ...kept, forget: 0.9 }, "samples")).toBe(1);
    expect(adaptiveUnlearningScore({ ...kept, forget: 1 }, "class")).toBe(0.5);
    expect(adaptiveUnlearningScore({ originalTest: 0.9, test: 0.7, forget: 0.7 }, "samples")).toBeCloseTo(
      0.8,
      12,
    );
  });
});

describe("NoMUS", () => {
  it("takes an attack that is always wrong for as bad as one that is always right", () => {
    expect(normalisedUnlearningScore(0.8, 0.5)).toBeCloseTo(0.9, 12);
    expect(normalisedUnlearningScore(0.8, 0.1)).toBeCloseTo(normalisedUnlearningScore(0.8, 0.9), 12);
    expect(normalisedUnlearningScore(0.8, 1, 0.25)).toBeCloseTo(0.2, 12);
    expect(() => normalisedUnlearningScore(80, 0.5)).toThrow(/fraction/);
  });
});
