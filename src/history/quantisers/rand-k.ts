import { LetheError } from "../../kernel/errors.ts";
import { type Key, randomStream } from "../../kernel/key.ts";
import type { Quantiser } from "./contract.ts";

const VALUE_BYTES = 4;

/**
 * k random values, scaled so that the mean is right: x̂_i = (n/k) x_i for the chosen ones, 0 for the rest. Which ones
 * follows from the key, so that only their values are sent. At least one is.
 *
 * Source: S. Stich, J.-B. Cordonnier, M. Jaggi, "Sparsified SGD with memory", arXiv 1809.07599.
 */
export const randK: Quantiser = {
  id: "randk",
  wireId: 16,
  title: "Random k values, scaled",
  source: "Stich, Cordonnier, Jaggi, arXiv 1809.07599",
  rateControl: "size",
  bitsRange: [0.01, 32],
  hasSymbols: false,
  prepare({ values, dither }) {
    return (size) => {
      const count = values.length;
      const kept = Math.min(count, Math.max(1, Math.floor(size / VALUE_BYTES)));
      const view = new DataView(new ArrayBuffer(kept * VALUE_BYTES));
      chosen(dither, count, kept).forEach((index, at) => {
        // −0 becomes 0.
        view.setFloat32(at * VALUE_BYTES, (values[index] as number) + 0, true);
      });
      return new Uint8Array(view.buffer);
    };
  },
  decode(bytes, { count, dither }, _step, out) {
    const kept = bytes.length / VALUE_BYTES;
    if (!Number.isInteger(kept) || kept > count || (kept === 0 && count > 0))
      throw damaged(`${bytes.length} bytes for ${count}`);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    out.fill(0, 0, count);
    chosen(dither, count, kept).forEach((index, at) => {
      const value = Math.fround((view.getFloat32(at * VALUE_BYTES, true) * count) / kept);
      if (!Number.isFinite(value)) throw damaged(`${value} at element ${index}`);
      out[index] = value;
    });
  },
};

/** `kept` of `count` indices without replacement, in order. */
function chosen(key: Key, count: number, kept: number): Uint32Array {
  return randomStream(key).permutation(count).subarray(0, kept).sort();
}

function damaged(what: string): LetheError {
  return new LetheError(
    "integrity",
    "INTEGRITY_RAND_K",
    `Expected four bytes of a finite number per chosen value, got ${what}.`,
  );
}
