import { describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../../kernel/key.ts";
import { mean } from "../../metrics/statistics/summary.ts";
import { classCentroids } from "./centroid-margins.ts";
import { traceLeft } from "./trace.ts";

const SAMPLES = 200;
const stream = randomStream(keyFromSeed(1));
/** A tenth of the samples is remembered: models trained with them are two deviations surer of those. */
const model = (share: number): Float64Array =>
  Float64Array.from({ length: SAMPLES }, (_, at) => stream.normal() + (at % 10 === 0 ? 2 * share : 0));
const models = (share: number, count: number) => Array.from({ length: count }, () => model(share));

describe("the trace left", () => {
  it("tells models with and without few remembered samples apart where the mean over all does not", () => {
    const [without, within] = [models(0, 8), models(1, 8)];
    const separation = (of: (evidence: Float64Array) => number): number => {
      const [zero, one] = [models(0, 60), models(1, 60)].map((list) => list.map(of)) as [number[], number[]];
      const spread = Math.sqrt(
        mean([
          ...zero.map((value) => (value - mean(zero)) ** 2),
          ...one.map((value) => (value - mean(one)) ** 2),
        ]),
      );
      return (mean(one) - mean(zero)) / spread;
    };
    const byTrace = separation((evidence) => mean(traceLeft(evidence, without, within)));
    expect(byTrace).toBeGreaterThan(1.5 * separation((evidence) => mean(evidence)));
  });

  it("is the share of the way for exact models, and 0 where nothing differs", () => {
    const [zero, one, half] = [Float64Array.of(0, 1, 2), Float64Array.of(2, 1, 6), Float64Array.of(1, 1, 4)];
    expect(mean(traceLeft(half, [zero, zero], [one, one]))).toBeCloseTo(0.5, 12);
    expect([...traceLeft(half, [zero, zero], [zero, zero])]).toEqual([0, 0, 0]);
  });

  it("is no matter of the seed noise a model shares with another: the original counts like any model of its kind", () => {
    const [without, within] = [models(0, 8), models(0, 8)];
    const original = model(0);
    // Nothing is remembered: a model near the original in its noise is not taken for one that remembers.
    const [a, b] = [original, model(0)].map((evidence) =>
      Math.abs(mean(traceLeft(evidence, without, within))),
    );
    expect(Math.max(a as number, b as number)).toBeLessThan(2);
  });
});

describe("class centroids", () => {
  it("give features that gather around their class larger margins than scattered ones, at any scale", () => {
    const labels = Int32Array.from({ length: 90 }, (_, at) => at % 3);
    const scattered = (spread: number, scale: number) => ({
      size: 3,
      rows: Float32Array.from(
        { length: 270 },
        (_, at) => scale * ((at % 3 === Math.trunc(at / 3) % 3 ? 1 : 0) + spread * stream.normal()),
      ),
    });
    const meanMargin = (spread: number, scale: number): number => {
      const features = scattered(spread, scale);
      return mean(classCentroids(features, labels, 3).margins(features, labels));
    };
    expect(meanMargin(0, 1)).toBeCloseTo(1.5, 6);
    expect(meanMargin(0, 100)).toBeCloseTo(1.5, 6);
    expect(meanMargin(0.5, 1)).toBeLessThan(1.2);
  });

  it("know no class without samples", () => {
    const features = { size: 2, rows: Float32Array.of(1, 0, -1, 0) };
    const centroids = classCentroids(features, Int32Array.of(0, 1), 3);
    expect([...centroids.margins(features, Int32Array.of(0, 2))]).toEqual([2, -2]);
  });
});
