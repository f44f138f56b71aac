import { ACTIVITY_TABLE, BUCKET_MASK, BUCKETS, LAST_BUCKET, TABLE_LENGTH } from "../coding/first-contexts.ts";
import type { Plane } from "../coding/plane.ts";

/** Share of a step from which a first guess rounds up: as an encoder that minds its rate does. */
const ROUNDING = 0.4;
/** Weight of the guess a bucket starts with, in values. */
const PRIOR = 2;
/** Bits of {@link RateEstimate.bits} per bucket and coset: zero, first non-zero, each further one. */
const KINDS = 3;

/** What an index will cost in bits, roughly: enough for a rate-distortion decision. */
export interface RateEstimate {
  /** [count]: bucket of the activity around each value, from the values themselves. */
  readonly buckets: Uint8Array;
  /** [bucket, coset, 3]: bits of k = 0, of |k| = 1, and of each unit beyond. */
  readonly bits: Float64Array;
}

/**
 * Models the indices of each neighbourhood as zero with a probability, else of geometric size with random sign.
 *
 * @param values - [count], plane after plane
 * @param step - distance of the points of one coset
 */
export function estimateRates(values: Float32Array, step: number, planes: readonly Plane[]): RateEstimate {
  const buckets = bucketsOf(values, step, planes);
  const zeros = new Float64Array(BUCKETS * 2).fill(PRIOR / 2);
  const others = new Float64Array(BUCKETS * 2).fill(PRIOR / 2);
  const sizes = new Float64Array(BUCKETS * 2).fill(PRIOR / 2);
  const perStep = 1 / step;
  for (let index = 0; index < values.length; index++) {
    const size = Math.abs((values[index] as number) * perStep);
    const at = 2 * (buckets[index] as number);
    // Coset 0 has points at 0, 1, 2, …, coset 1 at 0, ½, 1½, ….
    for (let coset = 0; coset < 2; coset++) {
      const k = size < 0.6 - 0.25 * coset ? 0 : Math.max(1, Math.floor(size + ROUNDING + coset / 2));
      if (k === 0) zeros[at + coset] = (zeros[at + coset] as number) + 1;
      else {
        others[at + coset] = (others[at + coset] as number) + 1;
        sizes[at + coset] = (sizes[at + coset] as number) + k;
      }
    }
  }
  const bits = new Float64Array(BUCKETS * 2 * KINDS);
  for (let at = 0; at < BUCKETS * 2; at++) {
    const [zero, other, size] = [zeros[at] as number, others[at] as number, sizes[at] as number];
    const stop = Math.min(other / size, 0.98);
    bits[KINDS * at] = log2(zero + other) - log2(zero);
    bits[KINDS * at + 1] = log2(zero + other) - log2(other) + 1 - log2(stop);
    bits[KINDS * at + 2] = -log2(1 - stop);
  }
  return { buckets, bits };
}

/** The activity as the coder will measure it, were the values themselves the symbols. */
function bucketsOf(values: Float32Array, step: number, planes: readonly Plane[]): Uint8Array {
  const buckets = new Uint8Array(values.length);
  // Symbols count both signs: twice the index, in sixteenths.
  const perStep = 32 / step;
  let index = 0;
  for (const { rows, columns } of planes) {
    const columnMeans = new Float64Array(columns);
    for (let row = 0; row < rows; row++) {
      let rowMean = 0;
      for (let column = 0; column < columns; column++, index++) {
        const columnMean = columnMeans[column] as number;
        const activity = Math.floor(rowMean + columnMean);
        buckets[index] =
          activity < TABLE_LENGTH ? ((ACTIVITY_TABLE[activity] as number) & BUCKET_MASK) >> 4 : LAST_BUCKET;
        const size = Math.abs((values[index] as number) * perStep);
        rowMean += (size - rowMean) / 4;
        columnMeans[column] = columnMean + (size - columnMean) / 4;
      }
    }
  }
  return buckets;
}

/** log2 to within .01, equal on every machine: the library's is not. */
function log2(value: number): number {
  let octave = 0;
  let mantissa = value;
  for (; mantissa >= 2; octave++) mantissa /= 2;
  for (; mantissa < 1; octave--) mantissa *= 2;
  const rest = mantissa - 1;
  // The parabola through both ends and the middle of the octave.
  return octave + rest + 0.34 * rest * (1 - rest);
}
