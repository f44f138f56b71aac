import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ScoredSamples } from "./scored-samples.ts";
import { averageGap, retainAccuracy, testAccuracy, unlearningAccuracy } from "./set-accuracies.ts";
import { tugOfWar } from "./tug-of-war.ts";

const samples: ScoredSamples = {
  logits: Float32Array.of(2, 1, 0, 3, 5, 4, 1, 0),
  labels: Int32Array.of(0, 1, 1, 0),
  classes: 2,
};

describe("accuracies on the three sets", () => {
  it("UA is the error on the forget set, RA and TA are accuracies", () => {
    expect(unlearningAccuracy(samples)).toBe(0.25);
    expect(retainAccuracy(samples)).toBe(0.75);
    expect(testAccuracy(samples)).toBe(0.75);
  });

  it("the average gap is the mean distance to the retrained model's figures, whichever way", () => {
    expect(averageGap([0.5, 0.9], [0.7, 0.8])).toBeCloseTo(0.15, 12);
    expect(averageGap([0.4, 0.4], [0.4, 0.4])).toBe(0);
  });
});

describe("tug of war", () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  const shares = fc.record({ forget: share, retain: share, test: share });

  it("is 1 exactly for equal accuracies, symmetric, and in [0, 1]", () => {
    fc.assert(
      fc.property(shares, shares, (a, b) => {
        expect(tugOfWar(a, a)).toBe(1);
        expect(tugOfWar(a, b)).toBe(tugOfWar(b, a));
        expect(tugOfWar(a, b)).toBeGreaterThanOrEqual(0);
        expect(tugOfWar(a, b)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("falls for a model that forgot too much as for one that forgot too little", () => {
    const retrained = { forget: 0.9, retain: 1, test: 0.9 };
    const ruined = { forget: 0.5, retain: 1, test: 0.9 };
    expect(tugOfWar(ruined, retrained)).toBeCloseTo(0.6, 12);
    expect(tugOfWar({ forget: 1, retain: 1, test: 0.9 }, retrained)).toBeCloseTo(0.9, 12);
  });
});
