import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isLetheError } from "../kernel/errors.ts";
import { decodeTensors, encodeTensors, type TensorFile } from "./safetensors.ts";

const sample: TensorFile = {
  tensors: new Map([
    ["weight", { shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, 1e-30, 7) }],
    ["bias", { shape: [], data: Float32Array.of(0.25) }],
    ["none", { shape: [0, 4], data: new Float32Array(0) }],
  ]),
  metadata: { step: "12" },
};

/** A file of a header, as given, and some bytes of data. */
function fileOf(header: unknown, dataBytes = 16): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const refusal = expect.objectContaining({ code: "LETHE_DATA_SAFETENSORS", kind: "data" });
const entry = (shape: readonly number[], start: number, end: number) => ({
  dtype: "F32",
  shape,
  data_offsets: [start, end],
});

describe("a tensor file", () => {
  it("gives back names, shapes, bits and texts", () => {
    const name = fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "10", "9", 'ä/ö\u0000"'));
    const size = fc.integer({ min: 0, max: 3 });
    const tensor = fc.array(size, { maxLength: 3 }).chain((shape) => {
      const length = shape.reduce((product, dim) => product * dim, 1);
      return fc
        .array(fc.float(), { minLength: length, maxLength: length })
        .map((values) => ({ shape, data: Float32Array.from(values) }));
    });
    const file = fc.record({
      tensors: fc.array(
        fc.tuple(
          name.filter((text) => text !== "__metadata__"),
          tensor,
        ),
        { maxLength: 5 },
      ),
      metadata: fc.dictionary(
        fc.string().filter((text) => text !== "__proto__"),
        fc.string(),
      ),
    });
    fc.assert(
      fc.property(file, fc.nat(9), ({ tensors: list, metadata }, shift) => {
        const tensors = new Map(list);
        const bytes = encodeTensors({ tensors, metadata });
        // As part of a larger buffer, at any alignment.
        const inside = new Uint8Array(bytes.length + shift + 5);
        inside.set(bytes, shift);
        const found = decodeTensors(inside.subarray(shift, shift + bytes.length), "test");
        expect(new Map([...found.tensors].sort())).toEqual(new Map([...tensors].sort()));
        expect({ ...found.metadata }).toEqual({ ...metadata });
      }),
    );
  });

  it("aligns its data and has the published form", () => {
    const bytes = encodeTensors(sample);
    const headerLength = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(headerLength % 8).toBe(0);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerLength)));
    expect(header).toEqual({
      __metadata__: { step: "12" },
      weight: entry([2, 3], 0, 24),
      bias: entry([], 24, 28),
      none: entry([0, 4], 28, 28),
    });
    expect(bytes.length).toBe(8 + headerLength + 28);
  });

  it("has no room for a tensor called as its metadata, nor for one whose values do not fill its shape", () => {
    const data = Float32Array.of(1);
    for (const [name, shape] of [
      ["__metadata__", [1]],
      ["w", [2]],
    ] as const) {
      expect(() => encodeTensors({ tensors: new Map([[name, { shape, data }]]), metadata: {} })).toThrowError(
        expect.objectContaining({ code: "LETHE_INTERNAL_SAFETENSORS" }),
      );
    }
  });

  it("is not tied to the bytes it was read from", () => {
    const bytes = encodeTensors(sample);
    const { tensors } = decodeTensors(bytes, "test");
    bytes.fill(0);
    expect([...(tensors.get("weight")?.data ?? [])]).toEqual([...(sample.tensors.get("weight")?.data ?? [])]);
  });
});

describe("a damaged tensor file", () => {
  it("cut short anywhere is refused", () => {
    const bytes = encodeTensors(sample);
    for (let end = 0; end < bytes.length; end++) {
      expect(() => decodeTensors(bytes.subarray(0, end), "cut")).toThrowError(refusal);
    }
  });

  it.each([
    ["a header length beyond the file", Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 1, 2)],
    ["a header length of 2⁵³ and more", Uint8Array.of(0, 0, 0, 0, 0, 0, 32, 0, 123, 125)],
    ["a header that is no JSON", fileOf("{no")],
    ["a header that is no text", Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 255)],
    ["a header that is a list", fileOf([])],
    ["a header that is nothing", fileOf("null")],
    ["another type", fileOf({ w: { ...entry([4], 0, 16), dtype: "F16" } })],
    ["no offsets", fileOf({ w: { dtype: "F32", shape: [4] } })],
    ["an end beyond the file", fileOf({ w: entry([5], 0, 20) })],
    ["an end before the start", fileOf({ w: entry([4], 16, 0) })],
    ["a shape that is larger than its bytes", fileOf({ w: entry([5], 0, 16) })],
    ["a shape that is smaller than its bytes", fileOf({ w: entry([3], 0, 16) })],
    ["a shape of billions", fileOf({ w: entry([2 ** 31, 2 ** 31], 0, 16) })],
    ["a negative size", fileOf({ w: entry([-2, -2], 0, 16) })],
    ["a size of one and a half", fileOf({ w: entry([1.5], 0, 6) }, 6)],
    ["a negative offset", fileOf({ w: entry([4], -16, 0) })],
    ["tensors over one another", fileOf({ a: entry([4], 0, 16), b: entry([4], 0, 16) })],
    ["a hole between tensors", fileOf({ a: entry([1], 0, 4), b: entry([1], 12, 16) })],
    ["bytes that belong to no tensor", fileOf({ a: entry([2], 0, 8) })],
    ["texts that are no texts", fileOf({ __metadata__: { a: 1 } }, 0)],
  ])("is refused for %s", (_what, bytes) => {
    expect(() => decodeTensors(bytes, "bad.safetensors")).toThrowError(refusal);
    expect(() => decodeTensors(bytes, "bad.safetensors")).toThrowError(/bad\.safetensors/);
  });

  it("gives a refusal or tensors within the file's size, whatever its bytes", () => {
    const original = encodeTensors(sample);
    const flips = fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), {
      minLength: 1,
      maxLength: 6,
    });
    const damaged = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      flips.map((changes) => {
        const bytes = original.slice();
        for (const [at, value] of changes) bytes[at] = value;
        return bytes;
      }),
      fc.json().map((text) => fileOf(text)),
      fc
        .dictionary(
          fc.string(),
          fc.record({
            dtype: fc.constant("F32"),
            shape: fc.array(fc.nat(4)),
            data_offsets: fc.tuple(fc.nat(20), fc.nat(20)),
          }),
        )
        .map((header) => fileOf(header)),
    );
    fc.assert(
      fc.property(damaged, (bytes) => {
        try {
          const { tensors } = decodeTensors(bytes, "fuzz");
          const size = [...tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
          expect(size).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          if (!isLetheError(error) || error.code !== "LETHE_DATA_SAFETENSORS") throw error;
        }
      }),
      { numRuns: 1000 },
    );
  });
});
