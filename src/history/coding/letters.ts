import {
  ACTIVITY_TABLE,
  BUCKET_MASK,
  entryOf,
  LAST_BUCKET,
  PLAIN_BITS_AT,
  TABLE_LENGTH,
} from "./activity.ts";
import { DOUBLE_AT } from "./guide.ts";
import type { SymbolSequence } from "./symbol-coder.ts";
import { ALPHABET } from "./symbol-model.ts";

/** What a sequence's symbols are coded as, and where: the view of a coder that has to see all of them first. */
export interface Letters {
  /** [count]: activity bucket (bits 4 and up) and side context (bits 0-3), as the adaptive coder has them. */
  readonly contexts: Uint16Array;
  /** [count]: 0 to 15; 15 stands for all larger ones. */
  readonly letters: Uint8Array;
  /** [count]: low bits of the symbol that the letter leaves out. */
  readonly plainBits: Uint8Array;
}

/** Goes through the symbols as the adaptive coder does, without coding. */
export function lettersOf({ symbols, sides, planes, guide }: SymbolSequence): Letters {
  const contexts = new Uint16Array(symbols.length);
  const letters = new Uint8Array(symbols.length);
  const plainBits = new Uint8Array(symbols.length);
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
        const symbol = symbols[index] as number;
        const guided = (state << 8) | (sides[index] as number);
        const side = guide.contexts[guided] as number;
        const plain = entry >>> PLAIN_BITS_AT;
        contexts[index] = (entry & BUCKET_MASK) | (side & entry & 15);
        letters[index] = Math.min(symbol >>> plain, ALPHABET - 1);
        plainBits[index] = plain;
        state = guide.next[(guided << 1) | (((symbol + 1) >>> 1) & 1)] as number;
        const size = symbol << (4 + (side >>> DOUBLE_AT));
        rowMean += (size - rowMean) >> 2;
        columnMeans[column] = columnMean + ((size - columnMean) >> 2);
      }
    }
  }
  return { contexts, letters, plainBits };
}
