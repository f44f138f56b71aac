import { LetheError } from "../kernel/errors.ts";
import { fromHalf, toHalf } from "./float16.ts";

/** Numbers that share a power-of-two scale, so that very small second moments survive half precision. */
const BLOCK = 256;
/** The largest magnitude of a block is brought into [2^13, 2^14): far from overflow, with 37 octaves below. */
const TARGET_OCTAVE = 13;

/**
 * Moves a running mean by one observation: m ← m + (x − m)/n, kept in half precision with a scale per 256 numbers,
 * about 16 bits a number whatever the number of rounds.
 *
 * @param mean - bytes of the earlier mean, undefined for the first observation
 * @param count - n, observations with this one
 */
export function updateMean(mean: Uint8Array | undefined, values: Float32Array, count: number): Uint8Array {
  if (!mean) return pack(values);
  const next = unpackMean(mean, values.length);
  for (let index = 0; index < next.length; index++) {
    const before = next[index] as number;
    next[index] = before + ((values[index] as number) - before) / count;
  }
  return pack(next);
}

/** The numbers of a mean that {@link updateMean} returned. */
export function unpackMean(bytes: Uint8Array, length = lengthOf(bytes)): Float32Array {
  if (length !== lengthOf(bytes)) {
    throw new LetheError(
      "data",
      "DATA_AUXILIARY_LENGTH",
      `Expected an auxiliary vector of ${lengthOf(bytes)} numbers as in earlier rounds, got ${length}.`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(length);
  let at = 0;
  for (let start = 0; start < length; start += BLOCK) {
    const scale = 2 ** view.getInt16(at, true);
    at += 2;
    for (let index = start; index < Math.min(start + BLOCK, length); index++, at += 2) {
      values[index] = fromHalf(view.getUint16(at, true)) * scale;
    }
  }
  return values;
}

function pack(values: Float32Array): Uint8Array {
  const blocks = Math.ceil(values.length / BLOCK);
  const bytes = new Uint8Array(2 * (blocks + values.length));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (let start = 0; start < values.length; start += BLOCK) {
    const block = values.subarray(start, start + BLOCK);
    const octave = scaleOctave(block);
    view.setInt16(at, octave, true);
    at += 2;
    for (const value of block) {
      view.setUint16(at, toHalf(value / 2 ** octave), true);
      at += 2;
    }
  }
  return bytes;
}

/** The power of two that brings a block's largest magnitude to {@link TARGET_OCTAVE}. */
function scaleOctave(block: Float32Array): number {
  let largest = 0;
  for (const value of block) largest = Math.max(largest, Math.abs(value));
  if (!Number.isFinite(largest)) {
    throw new LetheError("numeric", "NUMERIC_AUXILIARY", "Expected finite numbers in an auxiliary vector.");
  }
  if (largest === 0) return 0;
  let octave = 0;
  for (; largest >= 2; octave++) largest /= 2;
  for (; largest < 1; octave--) largest *= 2;
  return octave - TARGET_OCTAVE;
}

function lengthOf(bytes: Uint8Array): number {
  const halves = bytes.length / 2;
  return halves - Math.ceil(halves / (BLOCK + 1));
}
