/** Values that share a scale: as common formats for weights have it. */
const BLOCK = 64;
const SCALE_BYTES = 2;
/** Levels on each side of zero. */
const LEVELS = 7;
/** A level is sent as level + 8, two in a byte. */
const LEVEL_OFFSET = 8;
/** Largest scale in its 16 bits: 2^100, far above any update's. */
const LARGEST_SCALE_BITS = (100 + 127) << 7;

const CONVERSION = new DataView(new ArrayBuffer(4));

/** Bytes of so many values. */
export function nibbleBlockBytes(count: number): number {
  return SCALE_BYTES * Math.ceil(count / BLOCK) + Math.ceil(count / 2);
}

/**
 * Four bits a value: per 64 values a scale s ≥ max|x| / 7 as the upper half of a float32, then ⌊x/s + u⌋.
 *
 * @param values - finite
 * @param words - [count] random words for u = w/2^32, which makes the rounding unbiased; to nearest (u = ½) without
 */
export function packNibbleBlocks(values: Float32Array, words?: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(nibbleBlockBytes(values.length));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (let start = 0; start < values.length; start += BLOCK) {
    const block = values.subarray(start, start + BLOCK);
    const largest = block.reduce((sofar, value) => Math.max(sofar, Math.abs(value)), 0);
    const scaleBits = scaleBitsAbove(largest / LEVELS);
    view.setUint16(at, scaleBits, true);
    at += SCALE_BYTES;
    const scale = scaleOf(scaleBits);
    block.forEach((value, index) => {
      const rounding = words ? (words[start + index] as number) / 2 ** 32 : 0.5;
      const level = scale === 0 ? 0 : Math.floor(value / scale + rounding);
      const nibble = Math.max(-LEVELS, Math.min(LEVELS, level)) + LEVEL_OFFSET;
      bytes[at + (index >> 1)] = (bytes[at + (index >> 1)] as number) | (nibble << (4 * (index & 1)));
    });
    at += Math.ceil(block.length / 2);
  }
  return bytes;
}

/**
 * Reads what {@link packNibbleBlocks} wrote; a scale that it does not write gives NaN.
 *
 * @param bytes - as many as {@link nibbleBlockBytes} says for `out`
 */
export function unpackNibbleBlocks(bytes: Uint8Array, out: Float32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  for (let start = 0; start < out.length; start += BLOCK) {
    const end = Math.min(start + BLOCK, out.length);
    const scaleBits = view.getUint16(at, true);
    const scale = scaleBits > LARGEST_SCALE_BITS ? Number.NaN : scaleOf(scaleBits);
    at += SCALE_BYTES;
    for (let index = start; index < end; index++) {
      const byte = bytes[at + ((index - start) >> 1)] as number;
      out[index] = (((byte >> (4 * ((index - start) & 1))) & 15) - LEVEL_OFFSET) * scale + 0;
    }
    at += Math.ceil((end - start) / 2);
  }
}

/** The smallest number of 16 bits, as the upper half of a float32, that is not below `scale` ≥ 0. */
function scaleBitsAbove(scale: number): number {
  CONVERSION.setFloat32(0, scale);
  const bits = CONVERSION.getUint16(0);
  return scaleOf(bits) < scale ? bits + 1 : bits;
}

function scaleOf(bits: number): number {
  CONVERSION.setUint32(0, bits * 0x10000);
  return CONVERSION.getFloat32(0);
}
