import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeFloats, encodeFloats, type FloatFormat } from "./float-formats.ts";

const bytesOfBits = (bits: readonly number[]): Uint8Array => new Uint8Array(Uint16Array.from(bits).buffer);

describe("numbers of other formats", () => {
  it.each<[FloatFormat, number[], number[]]>([
    ["float16", [0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00], [1, -2, 65504, 2 ** -24, Number.POSITIVE_INFINITY]],
    [
      "bfloat16",
      [0x3f80, 0xc000, 0x4049, 0x0001, 0xff80],
      [1, -2, 3.140625, 2 ** -133, Number.NEGATIVE_INFINITY],
    ],
  ])("%s bits are the numbers its definition says, both ways", (format, bits, values) => {
    expect([...decodeFloats(format, bytesOfBits(bits))]).toEqual(values);
    expect(encodeFloats(format, Float32Array.from(values))).toEqual(bytesOfBits(bits));
  });

  it("survive a way through float32 and back, but for doubles, which are rounded", () => {
    fc.assert(
      fc.property(
        fc.constantFrom<FloatFormat>("float16", "bfloat16", "float32"),
        fc.uint8Array({ minLength: 4, maxLength: 4 }),
        (format, bytes) => {
          const values = decodeFloats(format, bytes);
          if (values.some(Number.isNaN)) return;
          expect(encodeFloats(format, values)).toEqual(bytes);
        },
      ),
      { numRuns: 500 },
    );
    const third = new Uint8Array(Float64Array.of(1 / 3).buffer);
    expect([...decodeFloats("float64", third)]).toEqual([Math.fround(1 / 3)]);
    expect(encodeFloats("float64", Float32Array.of(0.5))).toEqual(
      new Uint8Array(Float64Array.of(0.5).buffer),
    );
  });

  it("are rounded to nearest, halves to even", () => {
    // Eight bits of a bfloat16's number: 1 + 2⁻⁸ lies half-way to 1 + 2⁻⁷.
    const rounded = (value: number): number =>
      decodeFloats("bfloat16", encodeFloats("bfloat16", Float32Array.of(value)))[0] as number;
    expect(rounded(1 + 2 ** -8)).toBe(1);
    expect(rounded(1 + 3 * 2 ** -8)).toBe(1 + 2 ** -6);
    expect(rounded(1 + 2 ** -8 + 2 ** -20)).toBe(1 + 2 ** -7);
    expect(rounded(Number.NaN)).toBeNaN();
  });

  it("that a format cannot hold are refused, infinities are kept", () => {
    expect(() => encodeFloats("float16", Float32Array.of(70_000))).toThrow(
      expect.objectContaining({ kind: "numeric", code: "LETHE_NUMERIC_RANGE" }),
    );
    expect(encodeFloats("float16", Float32Array.of(Number.NEGATIVE_INFINITY))).toEqual(bytesOfBits([0xfc00]));
  });
});
