import { LetheError } from "../../kernel/errors.ts";
import type { Quantiser } from "./contract.ts";

/** Levels on each side of zero. */
const LEVELS = 127;

/**
 * The common 8-bit form, for comparison: per tensor a scale s = max|x| / 127 as float32, then ⌊x/s + ½⌋ as signed bytes.
 * Rounding to nearest: the error depends on the value and is not unbiased.
 */
export const int8: Quantiser = {
  id: "int8",
  wireId: 4,
  title: "8 bits, largest magnitude per tensor",
  source: "Common practice",
  bias: "Rounding to nearest: the error depends on the value.",
  rateControl: "none",
  bitsRange: [8, 8],
  hasSymbols: false,
  prepare({ values, planes }) {
    const bytes = new Uint8Array(values.length + 4 * planes.length);
    const view = new DataView(bytes.buffer);
    let at = 0;
    let index = 0;
    for (const { rows, columns } of planes) {
      const tensor = values.subarray(index, index + rows * columns);
      const largest = tensor.reduce((sofar, value) => Math.max(sofar, Math.abs(value)), 0);
      const scale = Math.fround(largest / LEVELS);
      view.setFloat32(at, scale, true);
      at += 4;
      for (const value of tensor) {
        const level = scale === 0 ? 0 : Math.floor(value / scale + 0.5);
        view.setInt8(at++, Math.max(-LEVELS, Math.min(LEVELS, level)));
      }
      index += tensor.length;
    }
    return () => bytes;
  },
  decode(bytes, { planes, count }, _step, out) {
    if (bytes.length !== count + 4 * planes.length) throw damaged(`${bytes.length} bytes`);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    let index = 0;
    for (const { rows, columns } of planes) {
      const scale = view.getFloat32(at, true);
      at += 4;
      // A scale above this would overflow; NaN fails the comparison as well.
      if (!(scale >= 0 && scale <= 2 ** 120)) throw damaged(`a scale of ${scale}`);
      for (let end = index + rows * columns; index < end; index++)
        out[index] = view.getInt8(at++) * scale + 0;
    }
  },
};

function damaged(what: string): LetheError {
  return new LetheError(
    "integrity",
    "INTEGRITY_INT8",
    `Expected a finite scale and one byte per value, got ${what}.`,
  );
}
