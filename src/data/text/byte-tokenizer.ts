import { digestJson } from "../../kernel/digest.ts";
import { FIRST_TOKEN, type Tokenizer } from "./tokenizer.ts";

const BYTES = 256;
const RECORD = { kind: "byte" } as const;

/** One token per byte of the UTF-8 text: a vocabulary that is the same for all data, and saw none of them. */
export const byteTokenizer: Tokenizer = {
  size: FIRST_TOKEN + BYTES,
  record: RECORD,
  digest: digestJson(RECORD),
  encode: (text) => Array.from(new TextEncoder().encode(text), (byte) => FIRST_TOKEN + byte),
  decode: (ids) =>
    new TextDecoder().decode(
      Uint8Array.from([...ids].filter((id) => id >= FIRST_TOKEN).map((id) => id - FIRST_TOKEN)),
    ),
};
