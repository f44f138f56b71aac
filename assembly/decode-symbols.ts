import { countLetter, entryAt, ESCAPE, levelOf, startModel, TOTAL_BITS, uppersOf } from "./model";
import { Sequence } from "./sequence";

const BOTTOM: u32 = 1 << 22;
const CHUNK_BITS: u32 = 8;
const TAIL_BITS: u32 = 28;
const SYMBOL_BITS: u32 = 25;
/** Below three half bits a symbol most letters are the first ones. */
const SPARSE_HALF_BITS: u64 = 3;

// The range coder's registers while plain bits are read.
let plainBytes: usize = 0;
let plainLength: u32 = 0;
let plainAt: u32 = 0;
let plainCode: u32 = 0;
let plainRange: u32 = 0;

/**
 * `decodeSymbols` of src/history/coding. Besides, it leaves the guide's state before each symbol in place of its side.
 *
 * @returns 0, or 1 + the index of a symbol that is too large
 */
export function decodeSymbols(sequence: Sequence): u32 {
  startModel();
  const bytes = sequence.bytes;
  const length = sequence.length;
  let at = sequence.at;
  let code = sequence.value;
  let range = sequence.range;
  plainBytes = bytes;
  plainLength = length;
  // At low rates the first letters can be foreseen, at higher ones none.
  let count: u32 = 0;
  for (let plane: u32 = 0; plane < sequence.planeCount; plane++) {
    const sides = sequence.planes + (<usize>plane << 3);
    count += load<u32>(sides) * load<u32>(sides, 4);
  }
  const isSparse = <u64>length * 16 < <u64>count * SPARSE_HALF_BITS;
  const contexts = sequence.contexts;
  const next = sequence.next;
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
        const guided = (state << 8) | <u32>load<u8>(sides);
        // The side has been used: what reconstructs a trellis wants the state.
        store<u8>(sides++, <u8>state);
        const side = <u32>load<u8>(contexts + guided);
        const context = (entry & 0x1f0) | (side & entry & 15);

        const unit = range >> TOTAL_BITS;
        const upper = uppersOf(context);
        let letter: u32;
        const first = unit * load<u32>(upper);
        const second = unit * load<u32>(upper, 4);
        if (isSparse && code < first) {
          letter = 0;
          range = first;
        } else if (isSparse && code < second) {
          letter = 1;
          range = second - first;
          code -= first;
        } else {
          letter = lettersBelow(upper, unit, code);
          const bounds = upper + (<usize>letter << 2);
          const below = select<u32>(0, unit * load<u32>(bounds - 4), letter === 0);
          range = select<u32>(range, unit * load<u32>(bounds), letter === ESCAPE) - below;
          code -= below;
        }
        countLetter(context, letter);
        if (!isSparse) {
          // Whether a byte is due cannot be foreseen either; a second one seldom is.
          const shift = <u32>(range < BOTTOM) << 3;
          code = (code << shift) | (byteAt(bytes, length, at) & ((1 << shift) - 1));
          at += shift >> 3;
          range <<= shift;
        }
        while (range < BOTTOM) {
          code = (code << 8) | byteAt(bytes, length, at);
          at++;
          range <<= 8;
        }
        let symbol = letter;
        if (letter === ESCAPE || plainBits !== 0) {
          plainAt = at;
          plainCode = code;
          plainRange = range;
          if (letter === ESCAPE) symbol += readTail() - 1;
          symbol = (symbol << plainBits) | readBits(plainBits);
          if (symbol >> SYMBOL_BITS !== 0) return 1 + <u32>((symbols - sequence.symbols) >> 2);
          at = plainAt;
          code = plainCode;
          range = plainRange;
        }
        store<u32>(symbols, symbol);
        symbols += 4;

        state = <u32>load<u8>(next + ((guided << 1) | (((symbol + 1) >> 1) & 1)));
        const size = <i32>(symbol << (4 + (side >> 4)));
        rowMean += (size - rowMean) >> 2;
        store<i32>(column, columnMean + ((size - columnMean) >> 2));
      }
    }
  }
  sequence.at = at;
  sequence.value = code;
  sequence.range = range;
  return 0;
}

/** How many letters end at or below a code: all sixteen are compared at once, since which it is cannot be foreseen. */
// @ts-ignore: decorator
@inline
function lettersBelow(upper: usize, unit: u32, code: u32): u32 {
  const units = i32x4.splat(unit);
  const codes = i32x4.splat(code);
  const is0 = i32x4.le_s(i32x4.mul(v128.load(upper), units), codes);
  const is1 = i32x4.le_s(i32x4.mul(v128.load(upper, 16), units), codes);
  const is2 = i32x4.le_s(i32x4.mul(v128.load(upper, 32), units), codes);
  const is3 = i32x4.le_s(i32x4.mul(v128.load(upper, 48), units), codes);
  const isBelow = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(is0, is1), i16x8.narrow_i32x4_s(is2, is3));
  return popcnt(i8x16.bitmask(isBelow));
}

/** The next 8 bits: the window of 30 bits ends two bits inside a byte. Zeros follow the last byte. */
// @ts-ignore: decorator
@inline
function byteAt(bytes: usize, length: u32, at: u32): u32 {
  const high = at < length ? <u32>load<u8>(bytes + at) : 0;
  const low = at + 1 < length ? <u32>load<u8>(bytes + at, 1) : 0;
  return (((high << 8) | low) >> 2) & 255;
}

function readBits(count: u32): u32 {
  let value: u32 = 0;
  for (let left = count; left > 0; ) {
    const take = min(left, CHUNK_BITS);
    left -= take;
    plainRange >>= take;
    const part = min(plainCode / plainRange, (1 << take) - 1);
    // A changed stream can stand in the remainder that no value owns.
    plainCode = min(plainCode - part * plainRange, plainRange - 1);
    value = (value << take) | part;
    while (plainRange < BOTTOM) {
      plainCode = (plainCode << 8) | byteAt(plainBytes, plainLength, plainAt);
      plainAt++;
      plainRange <<= 8;
    }
  }
  return value;
}

function readTail(): u32 {
  let count: u32 = 0;
  while (count < TAIL_BITS && readBits(1) === 1) count++;
  return (1 << count) | readBits(count);
}
