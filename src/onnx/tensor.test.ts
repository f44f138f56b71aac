import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bytesOf,
  bytesPerElement,
  type DType,
  dtypeOfTypeNumber,
  numbersOf,
  tensor,
  tensorFromBytes,
  tensorOfNumbers,
  typeNumberOf,
} from "./tensor.ts";

const dtypes: readonly DType[] = ["float32", "float64", "float16", "int64", "int32", "int8", "uint8", "bool"];

describe("a tensor", () => {
  it("survives the way through bytes, whichever its type and wherever the bytes lie", () => {
    fc.assert(
      fc.property(fc.constantFrom(...dtypes), fc.array(fc.nat(1)), fc.nat(9), (dtype, values, offset) => {
        const source = tensorOfNumbers(dtype, [values.length], values);
        const bytes = bytesOf(source);
        expect(bytes).toHaveLength(values.length * bytesPerElement(dtype));
        // In the middle of a larger array, at an address elements may not begin at.
        const pool = Buffer.concat([Buffer.alloc(offset, 0xff), bytes, Buffer.alloc(3, 0xff)]);
        const copy = tensorFromBytes(dtype, source.shape, pool.subarray(offset, offset + bytes.length));
        expect(copy).toEqual(source);
        expect(numbersOf(copy)).toEqual(values);
      }),
    );
  });

  it("has as many elements as its shape says", () => {
    const wrong = { code: "LETHE_DATA_SHAPE" };
    expect(() => tensor("float32", [2, 2], new Float32Array(3))).toThrow(expect.objectContaining(wrong));
    expect(() => tensorFromBytes("float32", [2], new Uint8Array(7))).toThrow(expect.objectContaining(wrong));
  });

  it("has a type that goes by a number in files", () => {
    for (const dtype of dtypes) expect(dtypeOfTypeNumber(typeNumberOf(dtype))).toBe(dtype);
    expect(() => dtypeOfTypeNumber(14)).toThrow(expect.objectContaining({ code: "LETHE_DATA_DTYPE" }));
  });
});
