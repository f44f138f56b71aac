import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isLetheError } from "../../kernel/errors.ts";
import { keyFromSeed, randomStream } from "../../kernel/key.ts";
import { adaptive } from "./adaptive.ts";
import { decodeSymbols } from "./decode-symbols.ts";
import { encodeSymbols } from "./encode-symbols.ts";
import { firstAdaptive } from "./first-adaptive.ts";
import { parityGuide, plainGuide } from "./guide.ts";
import type { Plane } from "./plane.ts";
import {
  decodeBits,
  decodePart,
  decodeTail,
  encodeBits,
  encodeTail,
  finishEncoder,
  isAtEnd,
  startDecoder,
  startEncoder,
} from "./range-coder.ts";
import { rans } from "./rans.ts";
import type { SymbolSequence } from "./symbol-coder.ts";

function encode(symbols: Int32Array, sides: Uint8Array, planes: readonly Plane[]): Uint8Array {
  const coder = startEncoder(1);
  encodeSymbols(coder, { symbols, sides, planes, guide: parityGuide });
  return finishEncoder(coder);
}

function decode(bytes: Uint8Array, sides: Uint8Array, planes: readonly Plane[]) {
  const symbols = new Int32Array(sides.length);
  const coder = startDecoder(bytes);
  decodeSymbols(coder, { symbols, sides, planes, guide: parityGuide });
  return { symbols, complete: isAtEnd(coder) };
}

const planesArbitrary = fc.array(fc.record({ rows: fc.nat(12), columns: fc.nat(12) }), { maxLength: 4 });

describe.each([adaptive, firstAdaptive, rans])("coder $id", (symbolCoder) => {
  it("gives back several sequences, whatever their symbols and sizes", () => {
    const size = fc.oneof(fc.nat(3), fc.nat(40), fc.nat(2 ** 25 - 1));
    const sequence = fc.record({
      planes: planesArbitrary,
      seed: fc.nat(),
      sizes: fc.array(size, { minLength: 1 }),
    });
    fc.assert(
      fc.property(fc.array(sequence, { maxLength: 3 }), (list) => {
        const sequences = list.map(({ planes, seed, sizes }): SymbolSequence => {
          const count = planes.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
          return {
            symbols: Int32Array.from({ length: count }, (_, index) => sizes[index % sizes.length] as number),
            sides: Uint8Array.from({ length: count }, (_, index) => ((index * 7 + seed) % 64) & 0b110111),
            planes,
            guide: parityGuide,
          };
        });
        const writer = symbolCoder.createWriter(1);
        for (const one of sequences) writer.write(one);
        const reader = symbolCoder.createReader(writer.finish());
        for (const one of sequences) {
          const symbols = new Int32Array(one.symbols.length);
          reader.read({ ...one, symbols });
          expect(symbols).toEqual(one.symbols);
        }
        expect(reader.isAtEnd()).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it("comes near to the entropy of what it codes, tables counted", () => {
    const stream = randomStream(keyFromSeed(4));
    const count = 60_000;
    // Geometric with mean 1: two bits.
    const symbols = Int32Array.from({ length: count }, () => Math.floor(-Math.log2(1 - stream.uniform())));
    const writer = symbolCoder.createWriter(1);
    const planes = [{ rows: 300, columns: 200 }];
    writer.write({ symbols, sides: new Uint8Array(count), planes, guide: plainGuide });
    expect((8 * writer.finish().length) / count).toBeLessThan(2.06);
  });

  it("notices a cut stream and a lengthened one", () => {
    const symbols = Int32Array.from({ length: 500 }, (_, index) => (index * index) % 5);
    const sequence = {
      symbols,
      sides: new Uint8Array(500),
      planes: [{ rows: 20, columns: 25 }],
      guide: plainGuide,
    };
    const writer = symbolCoder.createWriter(1);
    writer.write(sequence);
    const bytes = writer.finish();
    for (const other of [
      bytes.subarray(0, bytes.length - 1),
      Uint8Array.from([...bytes, 0]),
      bytes.subarray(0, 3),
    ]) {
      const reader = symbolCoder.createReader(other);
      let isWhole = false;
      try {
        reader.read({ ...sequence, symbols: new Int32Array(500) });
        isWhole = reader.isAtEnd();
      } catch (error) {
        expect(isLetheError(error, "integrity")).toBe(true);
      }
      expect(isWhole).toBe(false);
    }
  });
});

describe("the symbol coder", () => {
  it("gives back every symbol, whatever their sizes, contexts and matrices", () => {
    const size = fc.oneof(fc.nat(3), fc.nat(40), fc.nat(5000), fc.nat(2 ** 25 - 1));
    fc.assert(
      fc.property(
        planesArbitrary,
        fc.infiniteStream(size),
        fc.infiniteStream(fc.nat(63)),
        (planes, sizes, flags) => {
          const count = planes.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
          const symbols = Int32Array.from({ length: count }, () => sizes.next().value as number);
          // Bit 3 is the coder's own.
          const sides = Uint8Array.from({ length: count }, () => (flags.next().value as number) & 0b110111);
          const read = decode(encode(symbols, sides, planes), sides, planes);
          expect(read.symbols).toEqual(symbols);
          expect(read.complete).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("notices a changed, a cut and a lengthened stream by where it ends", () => {
    const stream = randomStream(keyFromSeed(1));
    const symbols = Int32Array.from({ length: 3000 }, () => Math.floor(Math.abs(3 * stream.normal())));
    const sides = new Uint8Array(symbols.length);
    const planes = [{ rows: 30, columns: 100 }];
    const bytes = encode(symbols, sides, planes);
    expect(decode(bytes, sides, planes).complete).toBe(true);
    expect(decode(bytes.subarray(0, bytes.length - 1), sides, planes).complete).toBe(false);
    expect(decode(Uint8Array.from([...bytes, 0]), sides, planes).complete).toBe(false);
    let noticed = 0;
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at] = (changed[at] as number) ^ (1 << (at % 8));
      noticed += endsElsewhere(changed, sides, planes) ? 1 : 0;
    }
    expect(noticed).toBe(bytes.length);
  });

  it("writes an independent source within 2 % of its entropy", () => {
    const stream = randomStream(keyFromSeed(2));
    const count = 60_000;
    // Geometric with ratio 1/2: two bits a symbol exactly.
    const symbols = Int32Array.from({ length: count }, () => Math.clz32(stream.word() | 1));
    const bits = 8 * encode(symbols, new Uint8Array(count), [{ rows: 200, columns: 300 }]).length;
    expect(bits / count).toBeGreaterThan(1.98);
    expect(bits / count).toBeLessThan(2.04);
  });

  it("spends little where the neighbours tell the size", () => {
    const stream = randomStream(keyFromSeed(3));
    const rows = 100;
    const columns = 100;
    const scales = Array.from({ length: columns }, (_, column) => (column % 2 === 0 ? 0.05 : 20));
    const symbols = Int32Array.from({ length: rows * columns }, (_, at) =>
      Math.floor(Math.abs(stream.normal()) * (scales[at % columns] as number)),
    );
    const shuffled = symbols.slice();
    const order = stream.permutation(symbols.length);
    order.forEach((from, to) => {
      shuffled[to] = symbols[from] as number;
    });
    const sides = new Uint8Array(symbols.length);
    const planes = [{ rows, columns }];
    expect(encode(symbols, sides, planes).length).toBeLessThan(0.85 * encode(shuffled, sides, planes).length);
  });
});

describe("plain bits", () => {
  it("come back in order, also between gamma codes", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ count: fc.integer({ min: 0, max: 28 }), value: fc.nat(2 ** 28 - 2) })),
        (fields) => {
          const coder = startEncoder(1);
          for (const { count, value } of fields) {
            encodeBits(coder, value, count);
            encodeTail(coder, value + 1);
          }
          const reader = startDecoder(finishEncoder(coder));
          for (const { count, value } of fields) {
            expect(decodeBits(reader, count)).toBe(value & ((1 << count) - 1));
            expect(decodeTail(reader)).toBe(value + 1);
          }
          expect(isAtEnd(reader)).toBe(true);
        },
      ),
    );
  });
});

it("a damaged stream never leaves the reader's interval, however it was forged", () => {
  // A code outside its range once grew with every plain bit, until the search for a letter ran off its table.
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 4, maxLength: 60 }),
      fc.array(fc.record({ share: fc.nat(254), count: fc.nat(28) }), { maxLength: 40 }),
      (bytes, steps) => {
        const coder = startDecoder(bytes);
        for (const { share, count } of steps) {
          // An odd width, so that plain bits leave a remainder that no value owns.
          const width = coder.range - Math.min(coder.range - coder.code - 1, share);
          decodePart(coder, 0, width);
          expect(coder.code).toBeLessThan(coder.range);
          decodeBits(coder, count);
          expect(coder.code).toBeLessThan(coder.range);
        }
      },
    ),
    { numRuns: 500 },
  );
});

function endsElsewhere(bytes: Uint8Array, sides: Uint8Array, planes: readonly Plane[]): boolean {
  try {
    return !decode(bytes, sides, planes).complete;
  } catch {
    return true;
  }
}
