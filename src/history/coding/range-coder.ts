/**
 * A range coder on 30-bit integers: every quantity stays a small positive integer, so that engines keep it in registers
 * and other languages need no wide arithmetic. The interval [low, low + range) is narrowed by each symbol; bytes leave
 * at the top, a carry runs back into bytes already written. The format is specified in docs/history-format.md.
 */
const TOP = 1 << 30;
/** Below this the interval is widened by one byte: 2^14 probability steps then still are at least 2^8 units each. */
export const BOTTOM = 1 << 22;
/** Bits that are taken in one step without modelling. */
const CHUNK_BITS = 8;
/** Longest unary prefix of {@link encodeTail}; every symbol of the codec is far below 2^28. */
const TAIL_BITS = 28;

/** State of a coder that writes; `bytes` is replaced by a longer one when it is full. */
export interface RangeEncoder {
  bytes: Uint8Array;
  at: number;
  low: number;
  range: number;
}

/** State of a coder that reads. */
export interface RangeDecoder {
  readonly bytes: Uint8Array;
  at: number;
  code: number;
  range: number;
}

/** Starts writing; `expectedBytes` only avoids growing. */
export function startEncoder(expectedBytes: number): RangeEncoder {
  return { bytes: new Uint8Array(expectedBytes), at: 0, low: 0, range: TOP };
}

/** Writes the rest of the interval's lower end (4 bytes) and returns all bytes. */
export function finishEncoder(coder: RangeEncoder): Uint8Array {
  for (let index = 0; index < 4; index++) pushByte(coder);
  return coder.bytes.subarray(0, coder.at);
}

/** Starts reading the output of {@link finishEncoder}. */
export function startDecoder(bytes: Uint8Array): RangeDecoder {
  const byte = (index: number): number => bytes[index] ?? 0;
  const code = (byte(0) << 22) | (byte(1) << 14) | (byte(2) << 6) | (byte(3) >>> 2);
  return { bytes, at: 3, code, range: TOP };
}

/**
 * True when a decoder stands exactly where the encoder stopped. The encoder ends on its lower bound, so the remaining
 * code is 0 and the bytes are used up; a stream that was changed ends elsewhere.
 */
export function isAtEnd(coder: RangeDecoder): boolean {
  return coder.code === 0 && coder.at === coder.bytes.length - 1;
}

/**
 * Narrows the interval to a part of it.
 *
 * @param below - lower end of the part, of `range`
 * @param width - its length
 */
export function encodePart(coder: RangeEncoder, below: number, width: number): void {
  coder.low += below;
  coder.range = width;
  while (coder.range < BOTTOM) {
    pushByte(coder);
    coder.range <<= 8;
  }
}

/** Takes the part away that {@link encodePart} chose. */
export function decodePart(coder: RangeDecoder, below: number, width: number): void {
  coder.code -= below;
  coder.range = width;
  while (coder.range < BOTTOM) {
    pullByte(coder);
    coder.range <<= 8;
  }
}

/** Writes the lowest `count` bits of `value`, each as likely as not. */
export function encodeBits(coder: RangeEncoder, value: number, count: number): void {
  for (let left = count; left > 0; ) {
    const take = Math.min(left, CHUNK_BITS);
    left -= take;
    const width = coder.range >>> take;
    encodePart(coder, Math.imul(width, (value >>> left) & ((1 << take) - 1)), width);
  }
}

/** Reads what {@link encodeBits} wrote. */
export function decodeBits(coder: RangeDecoder, count: number): number {
  let value = 0;
  for (let left = count; left > 0; ) {
    const take = Math.min(left, CHUNK_BITS);
    left -= take;
    const width = coder.range >>> take;
    // A changed stream can stand in the remainder that no value owns.
    const part = Math.min(Math.floor(coder.code / width), (1 << take) - 1);
    value = (value << take) | part;
    decodePart(coder, Math.max(Math.imul(part, width), coder.code - width + 1), width);
  }
  return value;
}

/** Writes an integer ≥ 1 in Elias' gamma code: its length in unary, then the bits below the leading one. */
export function encodeTail(coder: RangeEncoder, value: number): void {
  const length = 31 - Math.clz32(value);
  for (let index = 0; index < length; index++) encodeBits(coder, 1, 1);
  encodeBits(coder, 0, 1);
  encodeBits(coder, value, length);
}

/** Reads what {@link encodeTail} wrote. */
export function decodeTail(coder: RangeDecoder): number {
  let length = 0;
  while (length < TAIL_BITS && decodeBits(coder, 1) === 1) length++;
  return (1 << length) | decodeBits(coder, length);
}

/** Adds one to the number that the bytes before `at` spell. It cannot run off the front: the total stays below 1. */
export function carryInto(bytes: Uint8Array, at: number): void {
  let index = at - 1;
  while (bytes[index] === 255) bytes[index--] = 0;
  bytes[index] = (bytes[index] as number) + 1;
}

/** A longer copy, for a writer whose bytes are full. */
export function grown(bytes: Uint8Array): Uint8Array {
  const longer = new Uint8Array(bytes.length * 2 + 64);
  longer.set(bytes);
  return longer;
}

function pushByte(coder: RangeEncoder): void {
  if (coder.at === coder.bytes.length) coder.bytes = grown(coder.bytes);
  const byte = coder.low >>> 22;
  if (byte > 255) carryInto(coder.bytes, coder.at);
  coder.bytes[coder.at++] = byte;
  coder.low = (coder.low & (BOTTOM - 1)) << 8;
}

function pullByte(coder: RangeDecoder): void {
  const high = coder.bytes[coder.at] ?? 0;
  const low = coder.bytes[coder.at + 1] ?? 0;
  // The 30-bit window ends two bits inside a byte.
  coder.code = (coder.code << 8) | ((((high << 8) | low) >>> 2) & 255);
  coder.at++;
}
