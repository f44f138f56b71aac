import {
  ACTIVITY_TABLE,
  BUCKET_MASK,
  entryOf,
  LAST_BUCKET,
  PLAIN_BITS_AT,
  TABLE_LENGTH,
} from "./first-contexts.ts";
import { DOUBLE_AT } from "./guide.ts";
import type { SymbolSequence } from "./symbol-coder.ts";

/**
 * Goes through the elements of a sequence in order and tells for each its context (activity bucket in bits 4 and up, side context in
 * bits 0-3) and how many low bits its letter leaves out. Both follow from the symbols before it.
 *
 * The adaptive coder, whose speed is the default codec's, has this walk written out in its two loops.
 *
 * @param symbolAt - gives the symbol of the element: the one to be written, or the one just read
 */
export function walkContexts(
  { sides, planes, guide }: Pick<SymbolSequence, "sides" | "planes" | "guide">,
  symbolAt: (index: number, context: number, plainBits: number) => number,
): void {
  const { contexts, next } = guide;
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
        const guided = (state << 8) | (sides[index] as number);
        const side = contexts[guided] as number;
        const context = (entry & BUCKET_MASK) | (side & entry & 15);
        const symbol = symbolAt(index, context, entry >>> PLAIN_BITS_AT);
        state = next[(guided << 1) | (((symbol + 1) >>> 1) & 1)] as number;
        const size = symbol << (4 + (side >>> DOUBLE_AT));
        rowMean += (size - rowMean) >> 2;
        columnMeans[column] = columnMean + ((size - columnMean) >> 2);
      }
    }
  }
}
