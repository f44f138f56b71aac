/**
 * What a symbol's neighbours say about its size. The running means of the row and of the column are kept in sixteenths; the
 * geometric mean of the two tells the scale best where rows and columns have scales of their own, as in updates of dense
 * layers. It is taken as half the sum of two levels, which are logarithms in eighths of an octave.
 */
export const LEVELS_LENGTH = 1024;
/** Added before taking logarithms, so that means next to zero are not split for nothing. A power of two: its level is 0. */
const OFFSET = 4;
const OFFSET_OCTAVE = 2;
/** Symbols are below 2^25 and may count double: no mean is above 2^30. */
const LARGEST_MEAN = 2 ** 30;

/** Bits of an entry that hold the bucket, already where a context has it: above the four bits of the side context. */
export const BUCKET_MASK = 31 << 4;
/** First of the bits of an entry that hold the number of plain bits. */
export const PLAIN_BITS_AT = 9;
/** Buckets, two an octave; larger means use the last two in turn, their symbols shortened by plain bits. */
export const BUCKETS = 12;
/** The first bucket whose symbols are shortened: by one bit for every two buckets, which leaves a mean of 4 to 5. */
const FIRST_PLAIN = 8;

/** [mean below its length]: {@link levelOf}. */
export const LEVELS = Uint8Array.from({ length: LEVELS_LENGTH }, (_, mean) => levelOf(mean));
/**
 * [level of the row + level of the column]: which bits of the side context still tell something (bits 0-3), the bucket
 * (bits 4-8), and the number of low bits that are sent plainly (the bits above).
 */
export const ENTRIES = Uint16Array.from({ length: 2 * levelOf(LARGEST_MEAN) + 1 }, (_, sum) =>
  entryOf(sum >>> 3),
);

/** ⌊8 log₂((mean + 4) / 4)⌋, the logarithm linear within an octave: integers only. */
export function levelOf(mean: number): number {
  const shifted = mean + OFFSET;
  const octave = 31 - Math.clz32(shifted);
  const eighths = octave < 3 ? shifted << (3 - octave) : shifted >>> (octave - 3);
  return 8 * (octave - OFFSET_OCTAVE) + (eighths & 7);
}

function entryOf(scale: number): number {
  const plainBits = scale < FIRST_PLAIN ? 0 : (scale - FIRST_PLAIN + 2) >> 1;
  const bucket = scale < BUCKETS ? scale : BUCKETS - 2 + (scale & 1);
  // Bit 3 (parity) always counts; the distance to the next cell fades as symbols grow.
  const sideMask = bucket < 4 ? 15 : bucket < 7 ? 14 : 8;
  return sideMask | (bucket << 4) | (plainBits << PLAIN_BITS_AT);
}
