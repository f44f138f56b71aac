import { fromHalf, toHalf } from "./float16.ts";

/** Numbers that share a power-of-two scale, so that very small ones survive half precision. */
const BLOCK = 256;
/** The largest magnitude of a block is brought into [2^13, 2^14): far from overflow, with 37 octaves below. */
const TARGET_OCTAVE = 13;
/** No single-precision number needs a scale outside of these. */
const LEAST_OCTAVE = -149 - TARGET_OCTAVE;
const MOST_OCTAVE = 127 - TARGET_OCTAVE;

/** Bytes of so many numbers. */
export function halfBlockBytes(count: number): number {
  return 2 * (count + Math.ceil(count / BLOCK));
}

/**
 * Numbers in half precision with a scale per 256 of them: a signed 16-bit exponent e, then IEEE halves that count 2^e each.
 *
 * @param values - finite
 */
export function packHalfBlocks(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(halfBlockBytes(values.length));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (let start = 0; start < values.length; start += BLOCK) {
    const block = values.subarray(start, start + BLOCK);
    const octave = scaleOctave(block);
    const perUnit = powerOfTwo(-octave);
    view.setInt16(at, octave, true);
    at += 2;
    for (const value of block) {
      view.setUint16(at, toHalf(value * perUnit), true);
      at += 2;
    }
  }
  return bytes;
}

/**
 * Reads what {@link packHalfBlocks} wrote; damaged bytes may give numbers that are not finite.
 *
 * @param bytes - as many as {@link halfBlockBytes} says for `out`
 */
export function unpackHalfBlocks(bytes: Uint8Array, out: Float32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  for (let start = 0; start < out.length; start += BLOCK) {
    const octave = view.getInt16(at, true);
    const isPossible = octave >= LEAST_OCTAVE && octave <= MOST_OCTAVE;
    const scale = isPossible ? powerOfTwo(octave) : Number.NaN;
    at += 2;
    const end = Math.min(start + BLOCK, out.length);
    for (let index = start; index < end; index++, at += 2) {
      out[index] = fromHalf(view.getUint16(at, true)) * scale;
    }
  }
}

/** The power of two that brings a block's largest magnitude to {@link TARGET_OCTAVE}. */
function scaleOctave(block: Float32Array): number {
  let largest = 0;
  for (const value of block) largest = Math.max(largest, Math.abs(value));
  if (largest === 0) return 0;
  let octave = 0;
  for (; largest >= 2; octave++) largest /= 2;
  for (; largest < 1; octave--) largest *= 2;
  return octave - TARGET_OCTAVE;
}

/** 2^octave by products, which are exact everywhere. */
function powerOfTwo(octave: number): number {
  let power = 1;
  for (let left = octave; left > 0; left--) power *= 2;
  for (let left = octave; left < 0; left++) power /= 2;
  return power;
}
