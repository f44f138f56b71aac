import { describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../kernel/key.ts";
import { isClearlyOutside, isOutside, referenceBand, referencesNeeded } from "./reference-band.ts";

describe("the band of retrained models", () => {
  it("holds one more of the same kind as often as it says, however few made it", () => {
    const stream = randomStream(keyFromSeed(1));
    for (const references of [4, 8, 16]) {
      const trials = 2000;
      let outside = 0;
      for (let trial = 0; trial < trials; trial++) {
        const draw = (): number => 3 + 0.2 * stream.normal();
        const band = referenceBand(Array.from({ length: references }, draw), {
          level: 0.1,
          resolution: 0,
          scale: "linear",
        });
        if (isOutside(draw(), band)) outside++;
      }
      // Four standard errors of a binomial share.
      expect(Math.abs(outside / trials - 0.1)).toBeLessThan(4 * Math.sqrt((0.1 * 0.9) / trials));
    }
  });

  it("is the prediction interval of a textbook", () => {
    // K = 5, s = 1: t at 0.975 with 4 degrees of freedom is 2.776445.
    const values = [-1, 1, -1, 1, 0];
    const { mean, std, halfWidth } = referenceBand(values, { level: 0.05, resolution: 0, scale: "linear" });
    expect([mean, std]).toEqual([0, 1]);
    expect(halfWidth).toBeCloseTo(2.776445 * Math.sqrt(1.2), 5);
  });

  it("is never narrower than what matters, and excludes what is no number", () => {
    const band = referenceBand([1, 1, 1, 1], { level: 0.01, resolution: 0.05, scale: "linear" });
    expect([band.low, band.high]).toEqual([0.95, 1.05]);
    expect([1.04, 0.96, 1.06, 0.94, Number.NaN].map((value) => isOutside(value, band))).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
  });

  it("reaches farther where distances and likenesses have their longer tail", () => {
    const distances = [0.1, 0.12, 0.09, 0.2, 0.11];
    const options = { level: 0.05, resolution: 0 };
    const log = referenceBand(distances, { ...options, scale: "log" });
    expect(log.high - log.centre).toBeGreaterThan(log.centre - log.low);
    expect(log.low).toBeGreaterThan(0);
    const complement = referenceBand(
      distances.map((distance) => 1 - distance),
      { ...options, scale: "log-complement" },
    );
    expect(complement.low).toBeCloseTo(1 - log.high, 10);
    expect(complement.high).toBeCloseTo(1 - log.low, 10);
    expect(isClearlyOutside(5, log, 2)).toBe(true);
    expect(isClearlyOutside(log.high * 1.01, log, 2)).toBe(false);
  });

  it("says how many references would make a gap stand out, or that none would", () => {
    const options = { level: 0.01, resolution: 0.1, scale: "linear" } as const;
    const band = referenceBand([0, 1, 2, 3], options);
    const needed = referencesNeeded(11.5, band, 2) as number;
    expect(needed).toBeGreaterThan(4);
    expect(referencesNeeded(21.5, band, 2)).toBeLessThan(needed);
    expect(referencesNeeded(2.5, band, 2)).toBeUndefined();
    expect(() => referenceBand([1], options)).toThrow(/at least 2/);
  });
});
