import { walkContexts } from "./context-walk.ts";
import { ALPHABET } from "./letter-model.ts";
import {
  CLASS_OF,
  type LetterTables,
  readTables,
  SHARE_BITS,
  TABLE_STRIDE,
  writeTables,
} from "./letter-tables.ts";
import { type Letters, lettersOf } from "./letters.ts";
import {
  decodeBits,
  decodeTail,
  encodeBits,
  encodeTail,
  finishEncoder,
  isAtEnd,
  type RangeDecoder,
  startDecoder,
  startEncoder,
} from "./range-coder.ts";
import type { SymbolCoder, SymbolSequence } from "./symbol-coder.ts";

const ESCAPE = ALPHABET - 1;
/** A state is in [2^23, 2^31) between letters; bytes leave at the bottom. */
const LOWEST = 2 ** 23;
const SHARE_MASK = (1 << SHARE_BITS) - 1;
const STATE_BYTES = 4;
/** Bytes of the length of the plain part. */
const LENGTH_BYTES = 4;
/** Symbols are below 2^25. */
const SYMBOL_MASK = 2 ** 25 - 1;

/**
 * Static asymmetric numeral systems, two states in turn: tables of letters, counted over the update and sent, one for each
 * class of contexts. Tables, escapes and plain bits go through a range coder of their own, in front.
 *
 * Source: J. Duda, "Asymmetric numeral systems", arXiv 1311.2540; F. Giesen, "Interleaved entropy coders", arXiv 1402.3392.
 */
export const rans: SymbolCoder = {
  id: "rans",
  wireId: 1,
  title: "Static rANS, two states interleaved, tables counted and sent",
  source: "Duda, arXiv 1311.2540; Giesen, arXiv 1402.3392",
  createWriter(expectedBytes) {
    const plain = startEncoder(expectedBytes);
    const streams: Uint8Array[] = [];
    return {
      write(sequence) {
        const letters = lettersOf(sequence);
        const tables = writeTables(plain, letters.contexts, letters.letters);
        for (let index = 0; index < letters.letters.length; index++) {
          const bits = letters.plainBits[index] as number;
          const symbol = sequence.symbols[index] as number;
          if (letters.letters[index] === ESCAPE) encodeTail(plain, (symbol >>> bits) - ESCAPE + 1);
          encodeBits(plain, symbol, bits);
        }
        streams.push(encodeLetters(letters, tables));
      },
      finish() {
        const front = finishEncoder(plain);
        const bytes = new Uint8Array(
          streams.reduce((sum, stream) => sum + stream.length, LENGTH_BYTES + front.length),
        );
        new DataView(bytes.buffer).setUint32(0, front.length, true);
        let at = LENGTH_BYTES;
        for (const part of [front, ...streams]) {
          bytes.set(part, at);
          at += part.length;
        }
        return bytes;
      },
    };
  },
  createReader(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const length = bytes.length < LENGTH_BYTES ? 0 : view.getUint32(0, true);
    const plain = startDecoder(bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length));
    const stream: LetterStream = { bytes, at: LENGTH_BYTES + length, isWhole: true };
    return {
      read(sequence) {
        decodeLetters(stream, plain, readTables(plain), sequence);
      },
      isAtEnd: () => stream.isWhole && stream.at === bytes.length && isAtEnd(plain),
    };
  },
};

/** Codes the letters from the last to the first, so that the reader finds them from the first to the last. */
function encodeLetters({ contexts, letters }: Letters, tables: LetterTables): Uint8Array {
  // A letter of the smallest share takes 12 bits.
  const reversed = new Uint8Array(2 * STATE_BYTES + 2 * letters.length);
  let at = 0;
  const states = Uint32Array.of(LOWEST, LOWEST);
  for (let index = letters.length - 1; index >= 0; index--) {
    const place = (CLASS_OF[contexts[index] as number] as number) * TABLE_STRIDE + (letters[index] as number);
    const start = tables[place] as number;
    const share = (tables[place + 1] as number) - start;
    let state = states[index & 1] as number;
    while (state >= share * 2 ** 19) {
      reversed[at++] = state & 255;
      state >>>= 8;
    }
    states[index & 1] = (Math.floor(state / share) << SHARE_BITS) + (state % share) + start;
  }
  for (const last of [states[1] as number, states[0] as number]) {
    for (let shift = 24; shift >= 0; shift -= 8) reversed[at++] = (last >>> shift) & 255;
  }
  return reversed.subarray(0, at).reverse();
}

/** Where a reader stands. */
interface LetterStream {
  readonly bytes: Uint8Array;
  at: number;
  /** Whether all sequences so far ended in the states that a writer starts from. */
  isWhole: boolean;
}

function decodeLetters(
  stream: LetterStream,
  plain: RangeDecoder,
  tables: LetterTables,
  sequence: SymbolSequence,
): void {
  const { bytes } = stream;
  const { symbols, largest } = sequence;
  let at = stream.at;
  const readState = (): number => {
    let state = 0;
    for (let byte = 0; byte < STATE_BYTES; byte++) state += (bytes[at++] ?? 0) * 2 ** (8 * byte);
    return state % 2 ** 31;
  };
  let current = readState();
  let other = readState();
  walkContexts(sequence, (index, context, plainBits) => {
    const first = (CLASS_OF[context] as number) * TABLE_STRIDE;
    const share = current & SHARE_MASK;
    let place = first;
    while ((tables[place + 1] as number) <= share) place++;
    const start = tables[place] as number;
    let moved = ((tables[place + 1] as number) - start) * (current >>> SHARE_BITS) + share - start;
    while (moved < LOWEST && at < bytes.length) moved = (moved << 8) | (bytes[at++] as number);
    current = other;
    other = moved;

    const letter = place - first;
    let symbol = letter;
    if (letter === ESCAPE) symbol += decodeTail(plain) - 1;
    if (plainBits !== 0) symbol = (symbol << plainBits) | decodeBits(plain, plainBits);
    // A damaged stream may spell anything; where it ends tells.
    symbol &= SYMBOL_MASK;
    if (largest !== undefined && symbol > largest) {
      stream.isWhole = false;
      symbol = largest;
    }
    symbols[index] = symbol;
    return symbol;
  });
  stream.at = at;
  if (current !== LOWEST || other !== LOWEST) stream.isWhole = false;
}
