import { LetheError } from "../../kernel/errors.ts";
import {
  ACTIVITY_TABLE,
  BUCKET_MASK,
  entryOf,
  LAST_BUCKET,
  PLAIN_BITS_AT,
  TABLE_LENGTH,
} from "./activity.ts";
import { DOUBLE_AT, type Guide } from "./guide.ts";
import type { Plane } from "./plane.ts";
import { BOTTOM, decodeBits, decodeTail, type RangeDecoder } from "./range-coder.ts";
import { ALPHABET, INCREMENT, rebuild, type SymbolModel, TOTAL_BITS } from "./symbol-model.ts";

const ESCAPE = ALPHABET - 1;
/** Symbols are below 2^25, so that thirty-two times one and the sum of two means stay a small integer. */
const SYMBOL_BITS = 25;

/**
 * Reads what `encodeSymbols` wrote, into `symbols`; the same arguments, the same state of the model.
 *
 * @throws LETHE_INTEGRITY_SYMBOL when a symbol is larger than any that is ever written
 */
export function decodeSymbols(
  coder: RangeDecoder,
  model: SymbolModel,
  symbols: Int32Array,
  sides: Uint8Array,
  planes: readonly Plane[],
  guide: Guide,
): void {
  const { upper, counts, wait } = model;
  const { contexts, next } = guide;
  const bytes = coder.bytes;
  let { at, code, range } = coder;
  let state = guide.start;
  let index = 0;
  for (const { rows, columns } of planes) {
    const columnMeans = new Int32Array(columns);
    for (let row = 0; row < rows; row++) {
      let rowMean = 0;
      for (let column = 0; column < columns; column++, index++) {
        const columnMean = columnMeans[column] as number;
        const activity = rowMean + columnMean;
        const entry =
          activity < TABLE_LENGTH ? (ACTIVITY_TABLE[activity] as number) : entryOf(LAST_BUCKET, activity);
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
          if (symbol >>> SYMBOL_BITS !== 0) throw tooLarge(index);
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

function tooLarge(index: number): LetheError {
  return new LetheError(
    "integrity",
    "INTEGRITY_SYMBOL",
    `Expected symbols below 2^${SYMBOL_BITS}, got a larger one at element ${index}: the bytes are damaged.`,
    { details: { index } },
  );
}
