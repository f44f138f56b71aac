import { LetheError } from "../../kernel/errors.ts";
import { halfBlockBytes, packHalfBlocks, unpackHalfBlocks } from "../half-blocks.ts";
import type { Quantiser } from "./contract.ts";

/** Half precision with a power-of-two scale per 256 values. Rounding to nearest. */
export const float16: Quantiser = {
  id: "float16",
  wireId: 14,
  title: "Half precision",
  source: "IEEE 754, binary16",
  bias: "Rounding to nearest: the error depends on the value, and is at most 2^-11 of it.",
  rateControl: "none",
  bitsRange: [16, 16],
  hasSymbols: false,
  prepare({ values }) {
    const bytes = packHalfBlocks(values);
    return () => bytes;
  },
  decode(bytes, { count }, _step, out) {
    if (bytes.length !== halfBlockBytes(count)) throw damaged(`${bytes.length} bytes`);
    unpackHalfBlocks(bytes, out);
    for (let index = 0; index < count; index++) {
      if (!Number.isFinite(out[index])) throw damaged(`${out[index]} at element ${index}`);
      // −0 becomes 0.
      out[index] = (out[index] as number) + 0;
    }
  },
};

function damaged(what: string): LetheError {
  return new LetheError(
    "integrity",
    "INTEGRITY_FLOAT16",
    `Expected two bytes of a finite number per value and a scale per 256, got ${what}.`,
  );
}
