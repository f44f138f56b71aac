import { describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../kernel/key.ts";
import { klom, klomSummary } from "./klom.ts";
import type { MarginTable } from "./margins.ts";
import { mean } from "./statistics/summary.ts";

const stream = randomStream(keyFromSeed("klom"));
const models = (count: number, samples: number, shift = 0): MarginTable =>
  Array.from({ length: count }, () => Float64Array.from({ length: samples }, () => shift + stream.normal()));

describe("KLoM", () => {
  it("is 0 for the same models and about 11.5 for models that share no bin", () => {
    const some = models(30, 4);
    for (const value of klom(some, some)) expect(value).toBeCloseTo(0, 12);
    for (const value of klom(models(30, 4, 50), models(30, 4, -50))) {
      expect(value).toBeGreaterThan(10.9);
      expect(value).toBeLessThan(11.6);
    }
  });

  it("has a floor well above 0 that falls with the number of models", () => {
    const floor = (count: number) => mean(klom(models(count, 150), models(count, 150)));
    expect(floor(50)).toBeGreaterThan(0.6);
    expect(floor(200)).toBeLessThan(0.25);
  });

  it("reports the floor beside the figure, and a shift stands out from it", () => {
    const oracles = models(100, 60);
    const { mean: value, floor, p95, p99 } = klomSummary(models(100, 60, 1), oracles, models(100, 60));
    expect(value).toBeGreaterThan(2 * floor);
    expect(p95).toBeGreaterThan(value);
    expect(p99).toBeGreaterThanOrEqual(p95);
    expect(() => klomSummary(oracles, oracles, oracles.slice(1))).toThrow(/one length/);
  });

  it("counts the largest margin, which the benchmark drops", () => {
    const unlearned = [Float64Array.of(0), Float64Array.of(10)];
    const oracles = [Float64Array.of(0), Float64Array.of(0)];
    expect(klom(unlearned, oracles, { lastEdge: "dropped" })[0]).toBeCloseTo(0, 12);
    expect(klom(unlearned, oracles)[0]).toBeGreaterThan(4);
  });

  it("is 0 when every model gives the same margin, and clips what diverged", () => {
    const constant = [Float64Array.of(3), Float64Array.of(3)];
    expect(klom(constant, constant)[0]).toBe(0);
    const wild = [Float64Array.of(1e6), Float64Array.of(2e6)];
    expect(klom(wild, [Float64Array.of(3e6), Float64Array.of(1e9)])[0]).toBe(0);
  });
});
