import { LetheError } from "../../kernel/errors.ts";
import { DOUBLE_AT } from "./guide.ts";
import { ALPHABET, createModel, INCREMENT, rebuild, TOTAL_BITS } from "./letter-model.ts";
import { BUCKET_MASK, ENTRIES, LEVELS, LEVELS_LENGTH, levelOf, PLAIN_BITS_AT } from "./levels.ts";
import { BOTTOM, decodeBits, decodeTail, type RangeDecoder } from "./range-coder.ts";
import type { SymbolSequence } from "./symbol-coder.ts";

const ESCAPE = ALPHABET - 1;
/** Symbols are below 2^25, so that thirty-two times one and the sum of two means stay a small integer. */
export const SYMBOL_BITS = 25;

/**
 * Reads what `encodeSymbols` wrote, into the `symbols` of an equal sequence.
 *
 * @throws LETHE_INTEGRITY_SYMBOL when a symbol is larger than any that is ever written
 */
export function decodeSymbols(coder: RangeDecoder, { symbols, sides, planes, guide }: SymbolSequence): void {
  const model = createModel();
  const { upper, counts, wait } = model;
  const { contexts, next } = guide;
  const bytes = coder.bytes;
  let { at, code, range } = coder;
  let state = guide.start;
  let index = 0;
  for (const { rows, columns } of planes) {
    const columnMeans = new Int32Array(columns);
    let rowMean = 0;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++, index++) {
        const columnMean = columnMeans[column] as number;
        const rowLevel = rowMean < LEVELS_LENGTH ? (LEVELS[rowMean] as number) : levelOf(rowMean);
        const columnLevel = columnMean < LEVELS_LENGTH ? (LEVELS[columnMean] as number) : levelOf(columnMean);
        const entry = ENTRIES[rowLevel + columnLevel] as number;
        const plainBits = entry >>> PLAIN_BITS_AT;

        const guided = (state << 8) | (sides[index] as number);
        const side = contexts[guided] as number;
        const context = (entry & BUCKET_MASK) | (side & entry & 15);
        const unit = range >>> TOTAL_BITS;
        let slot = context << 4;
        let below = 0;
        let above = Math.imul(unit, upper[slot] as number);
        while (code >= above) {
          below = above;
          slot++;
          above = Math.imul(unit, upper[slot] as number);
        }
        const letter = slot & 15;
        code -= below;
        range = (letter === ESCAPE ? range : above) - below;
        counts[slot] = (counts[slot] as number) + INCREMENT;
        const left = (wait[context] as number) - 1;
        wait[context] = left;
        if (left === 0) rebuild(model, context);

        while (range < BOTTOM) {
          // The 30-bit window ends two bits inside a byte.
          code = (code << 8) | (((((bytes[at] as number) << 8) | (bytes[at + 1] as number)) >>> 2) & 255);
          at++;
          range <<= 8;
        }
        let symbol = letter;
        if (letter === ESCAPE || plainBits !== 0) {
          coder.at = at;
          coder.code = code;
          coder.range = range;
          if (letter === ESCAPE) symbol += decodeTail(coder) - 1;
          symbol = (symbol << plainBits) | decodeBits(coder, plainBits);
          if (symbol >>> SYMBOL_BITS !== 0) throw symbolTooLarge(index);
          at = coder.at;
          code = coder.code;
          range = coder.range;
        }
        symbols[index] = symbol;

        state = next[(guided << 1) | (((symbol + 1) >>> 1) & 1)] as number;
        const size = symbol << (4 + (side >>> DOUBLE_AT));
        rowMean += (size - rowMean) >> 2;
        columnMeans[column] = columnMean + ((size - columnMean) >> 2);
      }
    }
  }
  coder.at = at;
  coder.code = code;
  coder.range = range;
}

/** Of bytes that nobody wrote. */
export function symbolTooLarge(index: number): LetheError {
  return new LetheError(
    "integrity",
    "INTEGRITY_SYMBOL",
    `Expected symbols below 2^${SYMBOL_BITS}, got a larger one at element ${index}: the bytes are damaged.`,
    { details: { index } },
  );
}
