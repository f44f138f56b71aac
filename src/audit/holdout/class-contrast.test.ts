import { describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../../kernel/key.ts";
import { mean, variance } from "../../metrics/statistics/summary.ts";
import { meanContrast, rankContrast } from "./class-contrast.ts";

const evidence = (rows: readonly (readonly [score: number, label: number])[]) => ({
  scores: Float64Array.from(rows, ([score]) => score),
  labels: Int32Array.from(rows, ([, label]) => label),
});

describe("contrasts of suspects with peers of their class", () => {
  it("are alike for classes of unlike difficulty, and count classes as often as suspects have them", () => {
    const suspects = evidence([
      [9, 0],
      [8, 0],
      [7, 0],
      [1, 1],
    ]);
    const peers = evidence([
      [8, 0],
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
    expect(rankContrast(suspects, peers).value).toBeCloseTo(1 / 2);
    expect(meanContrast(suspects, peers).value).toBeCloseTo(0);
  });

  it("leave out who has no peers", () => {
    const suspects = evidence([
      [2, 0],
      [1, 0],
      [100, 1],
    ]);
    const peers = evidence([
      [1, 0],
      [0, 0],
      [50, 2],
    ]);
    expect(rankContrast(suspects, peers).value).toBeCloseTo(7 / 8);
    expect(meanContrast(suspects, peers).value).toBeCloseTo(1);
  });

  it("never have a smaller error than one sample", () => {
    const alike = evidence([
      [1, 0],
      [1, 0],
      [1, 0],
      [1, 0],
    ]);
    expect(rankContrast(alike, alike)).toEqual({ value: 1 / 2, error: 1 / 4 });
    expect(meanContrast(alike, alike)).toEqual({ value: 0, error: 1 / 4 });
  });

  it("scatter over draws as their errors say", () => {
    const stream = randomStream(keyFromSeed(1));
    const draw = (count: number) =>
      evidence(Array.from({ length: count }, (_, at) => [stream.normal() + (at % 3), at % 3] as const));
    const draws = Array.from({ length: 300 }, () => [draw(60), draw(90)] as const);
    for (const contrast of [rankContrast, meanContrast]) {
      const found = draws.map(([suspects, peers]) => contrast(suspects, peers));
      const scatter = Math.sqrt(variance(found.map(({ value }) => value)));
      expect(mean(found.map(({ error }) => error)) / scatter).toBeGreaterThan(0.85);
      expect(mean(found.map(({ error }) => error)) / scatter).toBeLessThan(1.15);
    }
  });
});
