import { LetheError } from "../../kernel/errors.ts";
import {
  decodeBits,
  encodeBits,
  finishEncoder,
  isAtEnd,
  startDecoder,
  startEncoder,
} from "../coding/range-coder.ts";
import type { Quantiser } from "./contract.ts";

/** Number of values kept, and bits of a gap that are sent plainly. */
const HEAD_BYTES = 5;
/** The range coder's last bytes. */
const TAIL_BYTES = 4;
const VALUE_BITS = 32;

/**
 * The k values of largest magnitude exactly, zeros for the rest; k is what fits in the size asked for. Positions are sent as
 * gaps in a Rice code, which costs about log2(n/k) + 1.5 bits each.
 *
 * Source: S. Stich, J.-B. Cordonnier, M. Jaggi, "Sparsified SGD with memory", arXiv 1809.07599.
 */
export const topK: Quantiser = {
  id: "topk",
  wireId: 15,
  title: "Largest k values",
  source: "Stich, Cordonnier, Jaggi, arXiv 1809.07599",
  bias: "All but the largest values become 0.",
  rateControl: "size",
  bitsRange: [0.01, 34],
  hasSymbols: false,
  prepare({ values }) {
    return (size) => {
      const count = values.length;
      const kept = mostThatFit(count, 8 * (size - HEAD_BYTES - TAIL_BYTES));
      const plainBits = gapBits(count, kept);
      const coder = startEncoder(Math.ceil(size) + 64);
      encodeBits(coder, kept, 32);
      encodeBits(coder, plainBits, 8);
      const number = new DataView(new ArrayBuffer(4));
      let last = -1;
      for (const index of largestOf(values, kept)) {
        const gap = index - last - 1;
        for (let quotient = gap >>> plainBits; quotient > 0; quotient--) encodeBits(coder, 1, 1);
        encodeBits(coder, 0, 1);
        encodeBits(coder, gap, plainBits);
        // −0 cannot be among them unless all are kept; it becomes 0.
        number.setFloat32(0, (values[index] as number) + 0);
        encodeBits(coder, number.getUint32(0), VALUE_BITS);
        last = index;
      }
      return finishEncoder(coder);
    };
  },
  decode(bytes, { count }, _step, out) {
    const coder = startDecoder(bytes);
    const kept = decodeBits(coder, 32) >>> 0;
    const plainBits = decodeBits(coder, 8);
    if (kept > count || plainBits > 31) throw damaged(`${kept} of ${count} values`);
    const number = new DataView(new ArrayBuffer(4));
    out.fill(0, 0, count);
    let last = -1;
    for (let taken = 0; taken < kept; taken++) {
      let quotient = 0;
      // More than the rest of the vector cannot be skipped: this also ends the reading of a damaged stream.
      while (quotient * 2 ** plainBits < count && decodeBits(coder, 1) === 1) quotient++;
      const index = last + 1 + quotient * 2 ** plainBits + decodeBits(coder, plainBits);
      if (index >= count) throw damaged(`a value beyond the last of ${count}`);
      number.setUint32(0, decodeBits(coder, VALUE_BITS));
      const value = number.getFloat32(0);
      if (!Number.isFinite(value)) throw damaged(`${value} at element ${index}`);
      out[index] = value;
      last = index;
    }
    if (!isAtEnd(coder)) throw damaged("bytes that end elsewhere");
  },
};

/** The largest k whose coding surely fits in so many bits. */
function mostThatFit(count: number, bits: number): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const plain = gapBits(count, middle);
    // A gap of g needs g / 2^plain ones, a zero and the plain bits; all gaps together are below the count.
    const needed = middle * (VALUE_BITS + 1 + plain) + Math.floor(count / 2 ** plain);
    if (needed <= bits) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** ⌊log2(n / k)⌋: the plain bits of a gap in a Rice code. */
function gapBits(count: number, kept: number): number {
  return kept === 0 ? 0 : 31 - Math.clz32(Math.floor(count / kept));
}

/** Indices of the `kept` largest magnitudes in order; of equal ones the first. */
function largestOf(values: Float32Array, kept: number): Uint32Array {
  const indices = new Uint32Array(kept);
  if (kept === 0) return indices;
  const magnitudes = values.map(Math.abs).sort();
  const threshold = magnitudes[values.length - kept] as number;
  let above = 0;
  for (let at = values.length - 1; at >= 0 && (magnitudes[at] as number) > threshold; at--) above++;
  let equal = kept - above;
  let at = 0;
  for (let index = 0; index < values.length && at < kept; index++) {
    const magnitude = Math.abs(values[index] as number);
    if (magnitude > threshold || (magnitude === threshold && equal-- > 0)) indices[at++] = index;
  }
  return indices;
}

function damaged(what: string): LetheError {
  return new LetheError(
    "integrity",
    "INTEGRITY_TOP_K",
    `Expected positions and finite values of the largest numbers, got ${what}.`,
  );
}
