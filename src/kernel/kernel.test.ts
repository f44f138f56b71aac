import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "./canonical-json.ts";
import { crc32 } from "./crc32.ts";
import { digestArrays, digestBytes } from "./digest.ts";
import { isLetheError, LetheError, throwIfCancelled } from "./errors.ts";
import { consume, type Progress } from "./events.ts";

describe("crc32", () => {
  it("gives the check value of the standard", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
  });

  it("continues from an earlier value", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat(64), (bytes, cut) => {
        expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut)))).toBe(crc32(bytes));
      }),
    );
  });
});

describe("canonicalJson", () => {
  it("parses back to the same value and does not depend on member order", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.oneof(fc.integer(), fc.string(), fc.boolean())), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("refuses what JSON cannot hold", () => {
    expect(() => canonicalJson({ loss: Number.NaN })).toThrow(/finite/);
  });
});

describe("digests", () => {
  it("is the published SHA-256 of 'abc'", () => {
    expect(digestBytes(new TextEncoder().encode("abc"))).toBe(
      "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  });

  it("tells apart arrays that differ in one bit or in their names", () => {
    const one = digestArrays(new Map([["w", new Float32Array([1, 2])]]));
    expect(digestArrays(new Map([["w", new Float32Array([1, 2])]]))).toBe(one);
    expect(digestArrays(new Map([["w", new Float32Array([1, -2])]]))).not.toBe(one);
    expect(digestArrays(new Map([["v", new Float32Array([1, 2])]]))).not.toBe(one);
  });
});

describe("errors and events", () => {
  it("carry code, kind, details and cause", () => {
    const cause = new Error("disk");
    const error = new LetheError("data", "DATA_X", "Expected x.", { details: { line: 3 }, cause });
    expect(error.code).toBe("LETHE_DATA_X");
    expect(error.cause).toBe(cause);
    expect(isLetheError(error, "data")).toBe(true);
    expect(isLetheError(error, "usage")).toBe(false);
    expect(isLetheError(cause)).toBe(false);
  });

  it("throw a cancellation only after the abort", () => {
    const controller = new AbortController();
    throwIfCancelled(controller.signal);
    controller.abort();
    expect(() => throwIfCancelled(controller.signal)).toThrow(/cancelled/);
  });

  it("are consumed to the outcome", async () => {
    async function* operation(): Progress<number> {
      yield { type: "step", step: 1, scalars: { loss: 2 } };
      return 7;
    }
    const seen: string[] = [];
    expect(await consume(operation(), (event) => seen.push(event.type))).toBe(7);
    expect(seen).toEqual(["step"]);
  });
});
