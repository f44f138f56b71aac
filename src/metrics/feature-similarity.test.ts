import { describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../kernel/key.ts";
import { type Features, layerSimilarity, linearCka } from "./feature-similarity.ts";

const stream = randomStream(keyFromSeed("cka"));
const random = (samples: number, width: number): Features => ({
  values: Float64Array.from({ length: samples * width }, () => stream.normal()),
  width,
});

describe("linear CKA", () => {
  it("does not see rotation, scale, shift or the order of units", () => {
    const a = random(30, 2);
    const turned = Float64Array.from(a.values, (value, at) => {
      const other = a.values[at ^ 1] as number;
      return 5 + 3 * (at % 2 === 0 ? 0.6 * value - 0.8 * other : 0.6 * value + 0.8 * other);
    });
    expect(linearCka(a, { values: turned, width: 2 })).toBeCloseTo(1, 12);
  });

  it("is near 0 for unrelated features of many samples, and the same either way round", () => {
    const [a, b] = [random(600, 3), random(600, 4)];
    expect(linearCka(a, b)).toBeLessThan(0.05);
    expect(linearCka(a, b)).toBeCloseTo(linearCka(b, a) as number, 12);
  });

  it("gives one value whether samples or features are more", () => {
    // Doubling every feature leaves CKA as it is, and goes over to the other way of summing.
    const [a, b] = [random(9, 6), random(9, 7)];
    const doubled = ({ values, width }: Features): Features => ({
      values: Float64Array.from({ length: 2 * values.length }, (_, at) => {
        const row = Math.floor(at / (2 * width));
        return values[row * width + (at % width)] as number;
      }),
      width: 2 * width,
    });
    expect(linearCka(doubled(a), doubled(b))).toBeCloseTo(linearCka(a, b) as number, 12);
  });

  it("is undefined for a layer that does not vary, and refuses other shapes and NaN", () => {
    const dead: Features = { values: new Float64Array(12).fill(1), width: 3 };
    expect(linearCka(dead, random(4, 3))).toBeUndefined();
    expect(() => linearCka(random(4, 3), random(5, 3))).toThrow(/one length/);
    expect(() => linearCka({ values: new Float64Array(7), width: 3 }, random(2, 3))).toThrow(/whole rows/);
    expect(() => linearCka({ values: Float64Array.of(1, Number.NaN), width: 1 }, random(2, 1))).toThrow(
      /finite/,
    );
  });

  it("goes layer by layer, the same layers of both models", () => {
    const [a, b] = [random(10, 2), random(10, 2)];
    const found = layerSimilarity({ conv: a, dense: b }, { dense: a, conv: a });
    expect(Object.keys(found)).toEqual(["conv", "dense"]);
    expect(found.conv).toBeCloseTo(1, 12);
    expect(found.dense as number).toBeLessThan(0.9);
    expect(() => layerSimilarity({ conv: a }, { dense: a })).toThrow(/conv, dense/);
  });
});
