import { inflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crc32 } from "../kernel/crc32.ts";
import { encodePng } from "./png.ts";

describe("encodePng", () => {
  it("holds the pixels row by row in chunks whose checksums are right", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(),
        (width, height, seed) => {
          const pixels = Uint8Array.from({ length: width * height }, (_, at) => (seed + at * 37) & 255);
          const chunks = readChunks(encodePng(pixels, width, height));
          expect([...chunks.keys()]).toEqual(["IHDR", "IDAT", "IEND"]);
          const header = new DataView(Uint8Array.from(chunks.get("IHDR") ?? []).buffer);
          expect([header.getUint32(0), header.getUint32(4), header.getUint8(8)]).toEqual([width, height, 8]);
          const lines = inflateSync(chunks.get("IDAT") ?? new Uint8Array());
          const shown = Array.from({ length: height }, (_, row) => [
            ...lines.subarray(row * (width + 1) + 1, (row + 1) * (width + 1)),
          ]);
          expect(shown.flat()).toEqual([...pixels]);
        },
      ),
    );
  });

  it("refuses a number of pixels that is not width times height", () => {
    expect(() => encodePng(new Uint8Array(5), 2, 3)).toThrow(/2 × 3 × 1 = 6 values.*got 5/);
    expect(() => encodePng(new Uint8Array(0), 0, 0)).toThrow(/at least one/);
  });
});

function readChunks(file: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const chunks = new Map<string, Uint8Array>();
  for (let at = 8; at < file.length; ) {
    const length = view.getUint32(at);
    const body = file.subarray(at + 4, at + 8 + length);
    expect(view.getUint32(at + 8 + length)).toBe(crc32(body));
    chunks.set(new TextDecoder("latin1").decode(body.subarray(0, 4)), body.subarray(4));
    at += 12 + length;
  }
  return chunks;
}
