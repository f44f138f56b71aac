/** Bytes of the shifts, and parts of a step in which they count. */
export const SHIFT_BYTES = 2;
const PARTS = 256;

/**
 * How far the values that share an index lie from their point on average, in steps: sent for magnitudes of 1 and for all
 * larger ones, so that the reader decodes to the mean.
 *
 * @param offsets - sums of |x|/Δ − point over the values with |k| = 1 and with |k| > 1
 * @param counts - how many they are
 * @param head - [SHIFT_BYTES], filled
 */
export function writeShifts(
  offsets: readonly [number, number],
  counts: readonly [number, number],
  head: Uint8Array,
): void {
  const shifts = new Int8Array(head.buffer, head.byteOffset, SHIFT_BYTES);
  for (const index of [0, 1] as const) {
    const mean = counts[index] === 0 ? 0 : offsets[index] / counts[index];
    shifts[index] = Math.max(-PARTS / 2, Math.min(PARTS / 2 - 1, Math.floor(mean * PARTS + 0.5)));
  }
}

/** What {@link writeShifts} wrote, in steps. */
export function readShifts(head: Uint8Array): readonly [number, number] {
  const shifts = new Int8Array(head.buffer, head.byteOffset, SHIFT_BYTES);
  return [(shifts[0] as number) / PARTS, (shifts[1] as number) / PARTS];
}
