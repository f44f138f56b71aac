import { describe, expect, it } from "vitest";
import { blobs } from "../../test/support/blobs.ts";
import { joinedSamples } from "./joined.ts";

const first = blobs({ count: 4, featureShape: [3], classes: 2, seed: 1 });
const second = blobs({ count: 5, featureShape: [3], classes: 2, seed: 2 });

describe("joinedSamples", () => {
  it("reads rows of both sets in any order", () => {
    const joined = joinedSamples(first, second);
    const rows = (samples: typeof first, positions: number[]): number[] => {
      const out = new Float32Array(3 * positions.length);
      samples.gather(positions, out);
      return [...out];
    };
    const [a, b] = [rows(first, [3]), rows(second, [0, 4])];
    expect(rows(joined, [4, 8, 3, 4])).toEqual([...b, ...a, ...b.slice(0, 3)]);
    expect(joined.id(4)).toBe(second.id(0));
    expect([...joined.labels]).toEqual([...first.labels, ...second.labels]);
    expect(joined.subset([3, 4]).id(1)).toBe(second.id(0));
  });

  it("refuses samples of another shape", () => {
    const other = blobs({ count: 2, featureShape: [2], classes: 2, seed: 3 });
    expect(() => joinedSamples(first, other)).toThrow(/of one shape/);
  });
});
