import { LetheError } from "../../kernel/errors.ts";
import type { Quantiser } from "./contract.ts";

/** Values that share a scale: as common formats for weights have it. */
const BLOCK = 64;
const SCALE_BYTES = 2;
/** Levels on each side of zero. */
const LEVELS = 7;
/** A level is sent as level + 8, two in a byte. */
const LEVEL_OFFSET = 8;
/** Largest scale in its 16 bits: 2^100, far above any update's. */
const LARGEST_SCALE_BITS = (100 + 127) << 7;

/**
 * The common 4-bit form, for comparison: per 64 values a scale s ≥ max|x| / 7 as the upper half of a float32, then
 * ⌊x/s + ½⌋ in 4 bits each.
 */
export const int4: Quantiser = {
  id: "int4",
  wireId: 13,
  title: "4 bits, largest magnitude per 64 values",
  source: "Common practice",
  bias: "Rounding to nearest: the error depends on the value.",
  rateControl: "none",
  bitsRange: [4.25, 4.25],
  hasSymbols: false,
  prepare({ values }) {
    const bytes = new Uint8Array(byteLength(values.length));
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
        const level = scale === 0 ? 0 : Math.floor(value / scale + 0.5);
        const nibble = Math.max(-LEVELS, Math.min(LEVELS, level)) + LEVEL_OFFSET;
        bytes[at + (index >> 1)] = (bytes[at + (index >> 1)] as number) | (nibble << (4 * (index & 1)));
      });
      at += Math.ceil(block.length / 2);
    }
    return () => bytes;
  },
  decode(bytes, { count }, _step, out) {
    if (bytes.length !== byteLength(count)) throw damaged(`${bytes.length} bytes`);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    for (let start = 0; start < count; start += BLOCK) {
      const end = Math.min(start + BLOCK, count);
      const scaleBits = view.getUint16(at, true);
      if (scaleBits > LARGEST_SCALE_BITS) throw damaged("a scale above 2^100");
      const scale = scaleOf(scaleBits);
      at += SCALE_BYTES;
      for (let index = start; index < end; index++) {
        const byte = bytes[at + ((index - start) >> 1)] as number;
        out[index] = (((byte >> (4 * ((index - start) & 1))) & 15) - LEVEL_OFFSET) * scale + 0;
      }
      at += Math.ceil((end - start) / 2);
    }
  },
};

const CONVERSION = new DataView(new ArrayBuffer(4));

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

function byteLength(count: number): number {
  return SCALE_BYTES * Math.ceil(count / BLOCK) + Math.ceil(count / 2);
}

function damaged(what: string): LetheError {
  return new LetheError(
    "integrity",
    "INTEGRITY_INT4",
    `Expected a scale per ${BLOCK} values and half a byte per value, got ${what}.`,
  );
}
