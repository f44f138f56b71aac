import { DOUBLE_AT } from "./guide.ts";
import { decodeBits, encodeBits, finishEncoder, isAtEnd, startDecoder, startEncoder } from "./range-coder.ts";
import type { SymbolCoder, SymbolSequence } from "./symbol-coder.ts";

/**
 * Every symbol in the same number of bits, one less where parity is known and as few as do where the largest is: the
 * size of a record is known beforehand, and no statistics are needed.
 *
 * @param bits - of a symbol; larger symbols cannot be written
 */
export function fixedLength(bits: number): SymbolCoder {
  return {
    id: "fixed",
    wireId: 2,
    title: `${bits} bits a symbol`,
    source: "",
    createWriter(expectedBytes) {
      const coder = startEncoder(expectedBytes);
      return {
        write(sequence) {
          const { symbols } = sequence;
          for (let index = 0; index < symbols.length; index++) {
            encodeBits(coder, symbols[index] as number, bitsOf(sequence, index, bits));
          }
        },
        finish: () => finishEncoder(coder),
      };
    },
    createReader(bytes) {
      const coder = startDecoder(bytes);
      return {
        read(sequence) {
          const { symbols } = sequence;
          for (let index = 0; index < symbols.length; index++) {
            symbols[index] = decodeBits(coder, bitsOf(sequence, index, bits));
          }
        },
        isAtEnd: () => isAtEnd(coder),
      };
    },
  };
}

function bitsOf({ largest, guide, sides }: SymbolSequence, index: number, bits: number): number {
  if (largest !== undefined) return 32 - Math.clz32(largest);
  // A guide's states differ in contexts only, not in which coordinates count double.
  return bits - ((guide.contexts[sides[index] as number] as number) >>> DOUBLE_AT);
}
