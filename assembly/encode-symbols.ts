import { countLetter, entryAt, ESCAPE, levelOf, startModel, TOTAL_BITS, uppersOf } from "./model";
import { Sequence } from "./sequence";

const BOTTOM: u32 = 1 << 22;
const CHUNK_BITS: u32 = 8;
/** More than the longest code of a symbol. */
const MOST_BYTES: u32 = 32;

// The range coder's registers while plain bits are written: one coder works at a time.
let plainBytes: usize = 0;
let plainAt: u32 = 0;
let plainLow: u32 = 0;
let plainRange: u32 = 0;

/**
 * `encodeSymbols` of src/history/coding.
 *
 * @returns 1 when the space was not enough: nothing of the sequence may be used then; else 0
 */
export function encodeSymbols(sequence: Sequence): u32 {
  startModel();
  const bytes = sequence.bytes;
  let at = sequence.at;
  let low = sequence.value;
  let range = sequence.range;
  plainBytes = bytes;
  const contexts = sequence.contexts;
  const next = sequence.next;
  const lastAt = sequence.length - MOST_BYTES;
  let symbols = sequence.symbols;
  let sides = sequence.sides;
  let state = sequence.start;
  for (let plane: u32 = 0; plane < sequence.planeCount; plane++) {
    const rows = load<u32>(sequence.planes + (<usize>plane << 3));
    const columns = load<u32>(sequence.planes + (<usize>plane << 3), 4);
    const columnsEnd = sequence.columnMeans + (<usize>columns << 2);
    memory.fill(sequence.columnMeans, 0, <usize>columns << 2);
    let rowMean: i32 = 0;
    for (let row: u32 = 0; row < rows; row++) {
      for (let column = sequence.columnMeans; column < columnsEnd; column += 4) {
        const columnMean = load<i32>(column);
        const entry = entryAt(levelOf(rowMean) + levelOf(columnMean));
        const plainBits = entry >> 9;
        const symbol = load<u32>(symbols);
        symbols += 4;
        const guided = (state << 8) | <u32>load<u8>(sides++);
        const side = <u32>load<u8>(contexts + guided);
        const size = <i32>(symbol << (4 + (side >> 4)));
        state = <u32>load<u8>(next + ((guided << 1) | (((symbol + 1) >> 1) & 1)));
        rowMean += (size - rowMean) >> 2;
        store<i32>(column, columnMean + ((size - columnMean) >> 2));

        const context = (entry & 0x1f0) | (side & entry & 15);
        const modelled = symbol >> plainBits;
        const letter = min(modelled, ESCAPE);
        const upper = uppersOf(context) + (<usize>letter << 2);
        const unit = range >> TOTAL_BITS;
        // The number before the first letter's is another context's: without a branch, since letters cannot be foreseen.
        const below = select<u32>(0, unit * load<u32>(upper - 4), letter === 0);
        range = select<u32>(range, unit * load<u32>(upper), letter === ESCAPE) - below;
        low += below;
        countLetter(context, letter);
        if (at > lastAt) return 1;
        while (range < BOTTOM) {
          const byte = low >> 22;
          if (byte > 255) carryInto(bytes + at);
          store<u8>(bytes + at, <u8>byte);
          at++;
          low = (low & (BOTTOM - 1)) << 8;
          range <<= 8;
        }
        if (letter === ESCAPE || plainBits !== 0) {
          plainAt = at;
          plainLow = low;
          plainRange = range;
          if (letter === ESCAPE) writeTail(modelled - ESCAPE + 1);
          writeBits(symbol, plainBits);
          at = plainAt;
          low = plainLow;
          range = plainRange;
        }
      }
    }
  }
  sequence.at = at;
  sequence.value = low;
  sequence.range = range;
  return 0;
}

/** Adds one to the number that the bytes before an address spell. */
function carryInto(end: usize): void {
  let index = end - 1;
  while (load<u8>(index) === 255) store<u8>(index--, 0);
  store<u8>(index, <u8>(<u32>load<u8>(index) + 1));
}

function writeBits(value: u32, count: u32): void {
  for (let left = count; left > 0; ) {
    const take = min(left, CHUNK_BITS);
    left -= take;
    plainRange >>= take;
    plainLow += plainRange * ((value >> left) & ((1 << take) - 1));
    while (plainRange < BOTTOM) {
      const byte = plainLow >> 22;
      if (byte > 255) carryInto(plainBytes + plainAt);
      store<u8>(plainBytes + plainAt, <u8>byte);
      plainAt++;
      plainLow = (plainLow & (BOTTOM - 1)) << 8;
      plainRange <<= 8;
    }
  }
}

function writeTail(value: u32): void {
  const length: u32 = 31 - clz(value);
  for (let index: u32 = 0; index < length; index++) writeBits(1, 1);
  writeBits(0, 1);
  writeBits(value, length);
}
