/**
 * What a symbol's neighbours say about its size. The running means of the row so far and of the column so far are kept
 * in sixteenths; their sum is the activity, 32 times the mean symbol. Below {@link TABLE_LENGTH} one table gives the
 * bucket (lowest 5 bits) and the number of low bits that are sent plainly (the bits above).
 */
export const TABLE_LENGTH = 1024;
/** log2 of the activity of a mean symbol of 1. */
const UNIT_BITS = 5;
/** A small number is added before taking logarithms, so that the lowest buckets are not split for nothing. */
const OFFSET = 4;

/** [activity]: bucket in bits 0 to 4, plain bits above. */
export const ACTIVITY_TABLE = makeTable();
/** Buckets of activity, two an octave. */
export const BUCKETS = ((ACTIVITY_TABLE[TABLE_LENGTH - 1] as number) & 31) + 1;
/** The last bucket, for every larger activity. */
export const LAST_BUCKET = BUCKETS - 1;
/** [bucket]: which bits of the side context still tell something at this activity. */
export const SIDE_MASK = makeSideMask();

/**
 * Low bits of a symbol that are sent plainly at a given activity: as many as leave a mean of 2 to 4 for the model.
 * Inside so small a part of the distribution all values are equally likely to within a thousandth of a bit.
 */
export function plainBitsAt(activity: number): number {
  const mean = activity >>> UNIT_BITS;
  return mean < 4 ? 0 : 30 - Math.clz32(mean);
}

/** The lower end of a bucket as a mean symbol in sixteenths, at least 1; in the higher buckets after {@link plainBitsAt}. */
export function meanOfBucket(bucket: number): number {
  let activity = 0;
  while (((ACTIVITY_TABLE[activity] as number) & 31) < bucket) activity++;
  return Math.max(activity >>> (1 + plainBitsAt(activity)), 1);
}

function makeTable(): Uint8Array {
  const table = new Uint8Array(TABLE_LENGTH);
  const halfOctave = (value: number): number => {
    const octave = 31 - Math.clz32(value);
    return 2 * octave + ((value >>> (octave - 1)) & 1);
  };
  for (let activity = 0; activity < TABLE_LENGTH; activity++) {
    const bucket = halfOctave(activity + OFFSET) - halfOctave(OFFSET);
    table[activity] = bucket | (plainBitsAt(activity) << 5);
  }
  return table;
}

function makeSideMask(): Uint8Array {
  const mask = new Uint8Array(32);
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    // Bit 3 and 4 of a side context (parity) always count; the distance to the next cell fades as symbols grow.
    mask[bucket] = bucket < 12 ? 15 : bucket < 15 ? 14 : 8;
  }
  return mask;
}
