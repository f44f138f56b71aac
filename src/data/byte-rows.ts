/** Fills a text shorter than its row. */
const PADDING = 0;
/** Ids below are kept free for padding, unknown words and the end of a text. */
const FIRST_BYTE = 3;

/**
 * Texts as the ids of their UTF-8 bytes, b + 3: the first `length` of a longer text, padding (0) in front of a shorter one, so that
 * the last position of every row is text.
 *
 * @returns row-major [texts, length]
 */
export function byteRows(texts: readonly string[], length: number): Float32Array {
  const rows = new Float32Array(texts.length * length).fill(PADDING);
  const encoder = new TextEncoder();
  const bytes = new Uint8Array(length);
  texts.forEach((text, row) => {
    const { written } = encoder.encodeInto(text, bytes);
    const start = (row + 1) * length - written;
    for (let at = 0; at < written; at++) rows[start + at] = (bytes[at] as number) + FIRST_BYTE;
  });
  return rows;
}
