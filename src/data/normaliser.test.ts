import { describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../kernel/key.ts";
import { fitNormaliser, normalised, wasFittedOn } from "./normaliser.ts";
import { samplesOf } from "./samples.ts";

function samplesWith(featureShape: readonly number[], values: Float32Array) {
  const count = values.length / featureShape.reduce((product, size) => product * size, 1);
  return samplesOf({
    idPrefix: "t",
    featureShape,
    features: { values },
    labels: new Int32Array(count),
    classCount: 1,
  });
}

const stream = randomStream(keyFromSeed("normaliser"));
/** 600 images of two channels about 5 and −1, and a constant third. */
const images = samplesWith(
  [3, 2, 2],
  Float32Array.from({ length: 600 * 12 }, (_, at) => {
    const [mean, deviation] = (
      [
        [5, 2],
        [-1, 0.5],
        [0.1, 0],
      ] as const
    )[Math.floor((at % 12) / 4)] ?? [0, 0];
    return mean + deviation * stream.normal();
  }),
);

describe("a normaliser", () => {
  it("gives every channel mean 0 and deviation 1, and a constant one 0", () => {
    const normaliser = fitNormaliser(images);
    const view = normalised(images, normaliser);
    const rows = new Float32Array(600 * 12);
    view.gather([...images.labels.keys()], rows);
    for (const channel of [0, 1]) {
      const values = [...rows].filter((_, at) => Math.floor((at % 12) / 4) === channel);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const variance = values.reduce((sum, value) => sum + value ** 2, 0) / values.length;
      expect(mean).toBeCloseTo(0, 5);
      expect(variance).toBeCloseTo(1, 5);
    }
    for (const value of rows.filter((_, at) => at % 12 >= 8)) expect(value).toBeCloseTo(0, 6);
    expect(normaliser.deviation[2]).toBe(1);
  });

  it("treats the features of a table one by one", () => {
    const table = samplesWith([2], Float32Array.of(1, 10, 3, 30));
    expect(fitNormaliser(table)).toMatchObject({ mean: [2, 20], deviation: [1, 10] });
    const out = new Float32Array(2);
    normalised(table, fitNormaliser(table)).subset([1]).gather([0], out);
    expect([...out]).toEqual([1, 1]);
  });

  it("knows whether it saw exactly some samples", () => {
    const retained = images.subset([5, 3, 8]);
    const normaliser = fitNormaliser(retained);
    expect(wasFittedOn(normaliser, images.subset([8, 5, 3]))).toBe(true);
    expect(wasFittedOn(normaliser, images.subset([8, 5, 4]))).toBe(false);
    expect(wasFittedOn(normaliser, images)).toBe(false);
  });

  it("refuses no samples and samples of another shape", () => {
    expect(() => fitNormaliser(images.subset([]))).toThrow(/samples to fit/);
    const table = samplesWith([2], Float32Array.of(1, 2));
    expect(() => normalised(table, fitNormaliser(images))).toThrow(/2 channels or features, got 3/);
  });
});
