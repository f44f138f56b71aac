import { DOUBLE_AT } from "./guide.ts";
import { ALPHABET, createModel, INCREMENT, rebuild, TOTAL_BITS } from "./letter-model.ts";
import { BUCKET_MASK, ENTRIES, LEVELS, LEVELS_LENGTH, levelOf, PLAIN_BITS_AT } from "./levels.ts";
import { BOTTOM, carryInto, encodeBits, encodeTail, grown, type RangeEncoder } from "./range-coder.ts";
import type { SymbolSequence } from "./symbol-coder.ts";

const ESCAPE = ALPHABET - 1;

/**
 * Writes the symbols of a sequence, in contexts made of the sizes around them and of what the guide knows besides. The model
 * starts anew.
 */
export function encodeSymbols(coder: RangeEncoder, { symbols, sides, planes, guide }: SymbolSequence): void {
  const model = createModel();
  const { upper, counts, wait } = model;
  const { contexts, next } = guide;
  let { bytes, at, low, range } = coder;
  let state = guide.start;
  let index = 0;
  for (const { rows, columns } of planes) {
    const columnMeans = new Int32Array(columns);
    // A row starts with the mean at which the one before it ended.
    let rowMean = 0;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++, index++) {
        const columnMean = columnMeans[column] as number;
        const rowLevel = rowMean < LEVELS_LENGTH ? (LEVELS[rowMean] as number) : levelOf(rowMean);
        const columnLevel = columnMean < LEVELS_LENGTH ? (LEVELS[columnMean] as number) : levelOf(columnMean);
        const entry = ENTRIES[rowLevel + columnLevel] as number;
        const plainBits = entry >>> PLAIN_BITS_AT;

        const symbol = symbols[index] as number;
        const guided = (state << 8) | (sides[index] as number);
        const side = contexts[guided] as number;
        const size = symbol << (4 + (side >>> DOUBLE_AT));
        state = next[(guided << 1) | (((symbol + 1) >>> 1) & 1)] as number;
        rowMean += (size - rowMean) >> 2;
        columnMeans[column] = columnMean + ((size - columnMean) >> 2);

        const context = (entry & BUCKET_MASK) | (side & entry & 15);
        const modelled = symbol >>> plainBits;
        const letter = Math.min(modelled, ESCAPE);
        const slot = (context << 4) | letter;
        const unit = range >>> TOTAL_BITS;
        if (letter === 0) range = Math.imul(unit, upper[slot] as number);
        else {
          const below = Math.imul(unit, upper[slot - 1] as number);
          low += below;
          range = (letter === ESCAPE ? range : Math.imul(unit, upper[slot] as number)) - below;
        }
        counts[slot] = (counts[slot] as number) + INCREMENT;
        const left = (wait[context] as number) - 1;
        wait[context] = left;
        if (left === 0) rebuild(model, context);

        while (range < BOTTOM) {
          if (at === bytes.length) bytes = grown(bytes);
          const byte = low >>> 22;
          if (byte > 255) carryInto(bytes, at);
          bytes[at++] = byte;
          low = (low & (BOTTOM - 1)) << 8;
          range <<= 8;
        }
        if (letter === ESCAPE || plainBits !== 0) {
          coder.bytes = bytes;
          coder.at = at;
          coder.low = low;
          coder.range = range;
          if (letter === ESCAPE) encodeTail(coder, modelled - ESCAPE + 1);
          encodeBits(coder, symbol, plainBits);
          bytes = coder.bytes;
          at = coder.at;
          low = coder.low;
          range = coder.range;
        }
      }
    }
  }
  coder.bytes = bytes;
  coder.at = at;
  coder.low = low;
  coder.range = range;
}
