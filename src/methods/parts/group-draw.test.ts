import { describe, expect, it } from "vitest";
import { keyFromSeed } from "../../kernel/key.ts";
import { drawByGroup, groupWeights, repeatByGroup } from "./group-draw.ts";

describe("groupWeights", () => {
  it("weighs a group by what it lost, and counts the groups that are gone", () => {
    const { weights, gone } = groupWeights(3, Int32Array.of(0, 0, 2), Int32Array.of(0, 0, 1, 1, 1));
    expect(weights).toEqual([2, 1, Number.POSITIVE_INFINITY]);
    expect(gone).toBe(1);
  });
});

describe("drawByGroup", () => {
  it("draws every group as often as before the request, within three standard deviations", () => {
    const retained = [40_000, 3000, 7000, 50_000];
    const forgotten = [0, 27_000, 700, 0];
    const repeated = (counts: readonly number[]): Int32Array =>
      Int32Array.from(counts.flatMap((count, group) => new Array<number>(count).fill(group)));
    const members = repeated(retained);
    const { weights } = groupWeights(4, repeated(forgotten), members);
    const drawn = drawByGroup(members, weights, keyFromSeed(8));
    expect(drawn.length).toBe(100_000);
    const all = retained.map((count, group) => count + (forgotten[group] as number));
    const total = all.reduce((sum, count) => sum + count, 0);
    all.forEach((count, group) => {
      const share = count / total;
      const observed = drawn.filter((position) => members[position] === group).length;
      const deviation = Math.sqrt(drawn.length * share * (1 - share));
      expect(Math.abs(observed - drawn.length * share), `group ${group}`).toBeLessThan(3 * deviation);
    });
  });

  it("refuses weights of which a needed one is infinite", () => {
    expect(() => drawByGroup(Int32Array.of(0, 1), [1, Number.POSITIVE_INFINITY], keyFromSeed(1))).toThrow(
      /finite weights/,
    );
  });
});

describe("repeatByGroup", () => {
  it("gives every group what it had before the request to the sample, and leaves nobody out", () => {
    // Group 0 lost nothing, group 1 four of seven samples.
    const members = Int32Array.of(0, 1, 0, 1, 1, 0);
    const { weights } = groupWeights(2, Int32Array.of(1, 1, 1, 1), members);
    const repeated = repeatByGroup(members, weights, keyFromSeed(3));
    const of = (group: number): number => repeated.filter((position) => members[position] === group).length;
    expect([of(0), of(1)]).toEqual([3, 7]);
    expect([...new Set(repeated)]).toEqual([0, 1, 2, 3, 4, 5]);
    // 7/3 each: two or three times.
    for (const position of [1, 3, 4]) {
      expect([2, 3]).toContain(repeated.filter((other) => other === position).length);
    }
  });
});
