import { describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../kernel/key.ts";
import { klomNormal } from "./klom-normal.ts";

/** Margins of models that differ by chance alone, about a centre of each sample's own. */
function models(count: number, samples: number, shift: number, seed: number): Float64Array[] {
  const stream = randomStream(keyFromSeed(seed));
  return Array.from({ length: count }, () =>
    Float64Array.from({ length: samples }, (_, sample) => (sample % 7) + shift + 0.5 * stream.normal()),
  );
}

describe("klomNormal", () => {
  it("reads its floor for models of one kind, and the divergence of the shift for others", () => {
    const oracles = models(6, 4000, 0, 1);
    const alike = klomNormal(models(3, 4000, 0, 2), oracles);
    expect(alike.floor).toBeCloseTo((1 / 3 + 1 / 6) / 2, 12);
    expect(Math.abs(alike.mean / alike.floor - 1)).toBeLessThan(0.1);
    // A shift of one nat at σ = ½: 1 / (2 · ¼) = 2 nats above the floor.
    const moved = klomNormal(models(3, 4000, 1, 3), oracles);
    expect(moved.mean - moved.floor).toBeGreaterThan(1.85);
    expect(moved.mean - moved.floor).toBeLessThan(2.15);
    expect(moved.p95).toBeGreaterThan(moved.mean);
  });

  it("refuses one oracle, no samples, tables of two sizes and margins that are no numbers", () => {
    const one = models(1, 5, 0, 1);
    const two = models(2, 5, 0, 2);
    expect(() => klomNormal(one, one)).toThrow(expect.objectContaining({ code: "LETHE_DATA_TOO_FEW" }));
    expect(() => klomNormal([], two)).toThrow(expect.objectContaining({ code: "LETHE_DATA_TOO_FEW" }));
    expect(() => klomNormal(models(1, 4, 0, 3), two)).toThrow(
      expect.objectContaining({ code: "LETHE_DATA_SHAPE" }),
    );
    expect(() => klomNormal([Float64Array.of(0, 0, Number.NaN, 0, 0)], two)).toThrow(
      expect.objectContaining({ code: "LETHE_NUMERIC_NOT_FINITE" }),
    );
  });
});
