/**
 * The contexts of the first adaptive coder and of `rans`: what a symbol's neighbours say about its size. The running means of the row so far and of the column so far are kept
 * in sixteenths; their sum is the activity, 32 times the mean symbol. Below {@link TABLE_LENGTH} one table gives
 * {@link entryOf}; every larger activity is in the last bucket.
 */
export const TABLE_LENGTH = 1024;
/** log2 of the activity of a mean symbol of 1. */
const UNIT_BITS = 5;
/** A small number is added before taking logarithms, so that the lowest buckets are not split for nothing. */
const OFFSET = 4;
/** Bits of an entry that hold the bucket, already where a context has it: above the four bits of the side context. */
export const BUCKET_MASK = 31 << 4;
/** First of the bits of an entry that hold the number of plain bits. */
export const PLAIN_BITS_AT = 9;

/** The last bucket, for every larger activity. */
export const LAST_BUCKET = bucketOf(TABLE_LENGTH - 1);
/** Buckets of activity, two an octave. */
export const BUCKETS = LAST_BUCKET + 1;
/** [activity]: {@link entryOf}. */
export const ACTIVITY_TABLE = Uint16Array.from({ length: TABLE_LENGTH }, (_, activity) =>
  entryOf(bucketOf(activity), activity),
);

/**
 * All that coding needs of an activity in one number: which bits of the side context still tell something (bits 0-3), the
 * bucket (bits 4-8), and the number of low bits that are sent plainly (the bits above).
 */
export function entryOf(bucket: number, activity: number): number {
  // Bit 3 (parity) always counts; the distance to the next cell fades as symbols grow.
  const sideMask = bucket < 12 ? 15 : bucket < 15 ? 14 : 8;
  return sideMask | (bucket << 4) | (plainBitsAt(activity) << PLAIN_BITS_AT);
}

/** The lower end of a bucket as a mean symbol in sixteenths, at least 1; in the higher buckets after its plain bits. */
export function meanOfBucket(bucket: number): number {
  let activity = 0;
  while (bucketOf(activity) < bucket) activity++;
  return Math.max(activity >>> (1 + plainBitsAt(activity)), 1);
}

/**
 * Low bits of a symbol that are sent plainly at a given activity: as many as leave a mean of 2 to 4 for the model.
 * Inside so small a part of the distribution all values are equally likely to within a thousandth of a bit.
 */
function plainBitsAt(activity: number): number {
  const mean = activity >>> UNIT_BITS;
  return mean < 4 ? 0 : 30 - Math.clz32(mean);
}

function bucketOf(activity: number): number {
  return halfOctave(activity + OFFSET) - halfOctave(OFFSET);
}

function halfOctave(value: number): number {
  const octave = 31 - Math.clz32(value);
  return 2 * octave + ((value >>> (octave - 1)) & 1);
}
