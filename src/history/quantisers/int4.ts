import { LetheError } from "../../kernel/errors.ts";
import { nibbleBlockBytes, packNibbleBlocks, unpackNibbleBlocks } from "../nibble-blocks.ts";
import type { Quantiser } from "./contract.ts";

/** The common 4-bit form, for comparison: a scale per 64 values. */
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
    const bytes = packNibbleBlocks(values);
    return () => bytes;
  },
  decode(bytes, { count }, _step, out) {
    if (bytes.length !== nibbleBlockBytes(count)) throw damaged(`${bytes.length} bytes`);
    unpackNibbleBlocks(bytes, out);
    if (!out.every(Number.isFinite)) throw damaged("a scale above 2^100");
  },
};

function damaged(what: string): LetheError {
  return new LetheError(
    "integrity",
    "INTEGRITY_INT4",
    `Expected a scale per 64 values and half a byte per value, got ${what}.`,
  );
}
