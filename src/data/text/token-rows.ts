import { SPECIAL_TOKENS } from "./tokenizer.ts";

/**
 * Token ids of whole texts as rows of one length: the first `length` tokens of a longer text, padding in front of a shorter one,
 * so that the last position of every row is a token.
 *
 * @returns row-major [texts, length]
 */
export function tokenRows(texts: readonly (readonly number[])[], length: number): Float32Array {
  const rows = new Float32Array(texts.length * length).fill(SPECIAL_TOKENS.padding);
  texts.forEach((ids, row) => {
    const kept = ids.slice(0, length);
    rows.set(kept, (row + 1) * length - kept.length);
  });
  return rows;
}
