import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyFromSeed } from "../kernel/key.ts";
import { stratifiedSplit } from "./split.ts";

describe("stratifiedSplit", () => {
  it("puts every sample in one part and the asked fraction of every class in the test part", () => {
    const labels = fc.array(fc.nat(3), { minLength: 1, maxLength: 200 });
    const fraction = fc.double({ min: 0.01, max: 0.99, noNaN: true });
    fc.assert(
      fc.property(labels, fraction, fc.integer(), (list, testFraction, seed) => {
        const { train, test } = stratifiedSplit(Int32Array.from(list), 4, testFraction, keyFromSeed(seed));
        expect([...train, ...test].sort((a, b) => a - b)).toEqual(list.map((_, position) => position));
        for (let label = 0; label < 4; label++) {
          const size = list.filter((value) => value === label).length;
          const inTest = test.filter((position) => list[position] === label).length;
          expect(inTest).toBe(Math.max(0, Math.min(Math.round(testFraction * size), size - 1)));
        }
      }),
    );
  });

  it("depends on the key alone", () => {
    const labels = Int32Array.from({ length: 100 }, (_, position) => position % 2);
    const split = (seed: number) => [...stratifiedSplit(labels, 2, 0.2, keyFromSeed(seed)).test];
    expect(split(1)).toEqual(split(1));
    expect(split(1)).not.toEqual(split(2));
  });
});
