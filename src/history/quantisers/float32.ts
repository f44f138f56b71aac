import { LetheError } from "../../kernel/errors.ts";
import type { Quantiser } from "./contract.ts";

/** No loss: the numbers as they are, four bytes each, little-endian. */
export const float32: Quantiser = {
  id: "none",
  wireId: 3,
  title: "No quantisation (float32)",
  source: "IEEE 754",
  rateControl: "none",
  bitsRange: [32, 32],
  hasSymbols: false,
  prepare({ values }) {
    const bytes = new Uint8Array(values.length * 4);
    const view = new DataView(bytes.buffer);
    values.forEach((value, index) => {
      // −0 becomes 0.
      view.setFloat32(index * 4, value + 0, true);
    });
    return () => bytes;
  },
  decode(bytes, { count }, _step, out) {
    if (bytes.length !== count * 4) throw damaged(`${bytes.length} bytes`);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let index = 0; index < count; index++) {
      const value = view.getFloat32(index * 4, true);
      if (!Number.isFinite(value)) throw damaged(`${value} at element ${index}`);
      out[index] = value;
    }
  },
};

function damaged(what: string): LetheError {
  return new LetheError(
    "integrity",
    "INTEGRITY_FLOAT32",
    `Expected four bytes of a finite number per value, got ${what}.`,
  );
}
