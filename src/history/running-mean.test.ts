import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../kernel/key.ts";
import { fromHalf, toHalf } from "./float16.ts";
import { unpackMean, updateMean } from "./running-mean.ts";

describe("half precision", () => {
  it("gives back every finite number and both infinities", () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = fromHalf(bits);
      if (!Number.isNaN(value)) expect(toHalf(value)).toBe(bits);
    }
  });

  it("rounds to the nearest, ties to even", () => {
    expect(fromHalf(toHalf(1 + 2 ** -11))).toBe(1);
    expect(fromHalf(toHalf(1 + 3 * 2 ** -11))).toBe(1 + 2 ** -9);
    expect(fromHalf(toHalf(65519))).toBe(65504);
    expect(fromHalf(toHalf(65520))).toBe(Number.POSITIVE_INFINITY);
    expect(toHalf(Number.NaN)).toBe(0x7e00);
    fc.assert(
      fc.property(fc.double({ min: -65504, max: 65504, noNaN: true }), (value) => {
        const error = Math.abs(fromHalf(toHalf(value)) - value);
        expect(error).toBeLessThanOrEqual(Math.max(Math.abs(value) * 2 ** -11, 2 ** -25));
      }),
    );
  });
});

describe("the running mean", () => {
  it.each([1, 1e-9, 1e12])("follows the exact mean of numbers of size %d", (scale) => {
    const stream = randomStream(keyFromSeed(2));
    const length = 1000;
    const rounds = 40;
    const exact = new Float64Array(length);
    let mean: Uint8Array | undefined;
    for (let count = 1; count <= rounds; count++) {
      const values = Float32Array.from({ length }, () => scale * stream.normal() ** 2);
      values.forEach((value, index) => {
        exact[index] = (exact[index] as number) + value / rounds;
      });
      mean = updateMean(mean, values, count);
    }
    const kept = unpackMean(mean as Uint8Array);
    kept.forEach((value, index) => {
      expect(Math.abs(value / (exact[index] as number) - 1)).toBeLessThan(0.01);
    });
    expect((mean as Uint8Array).length).toBeLessThan(2.02 * length);
  });

  it("refuses another length and numbers that are not finite", () => {
    const mean = updateMean(undefined, new Float32Array(300), 1);
    expect(unpackMean(mean)).toEqual(new Float32Array(300));
    expect(() => updateMean(mean, new Float32Array(301), 2)).toThrow(/300 numbers/);
    expect(() => updateMean(undefined, Float32Array.of(Number.NaN), 1)).toThrow(/finite/);
  });
});
