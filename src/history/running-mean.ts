import { LetheError } from "../kernel/errors.ts";
import { halfBlockBytes, packHalfBlocks, unpackHalfBlocks } from "./half-blocks.ts";

/**
 * Moves a running mean by one observation: m ← m + (x − m)/n, kept in half precision with a scale per 256 numbers,
 * about 16 bits a number whatever the number of rounds.
 *
 * @param mean - bytes of the earlier mean, undefined for the first observation
 * @param count - n, observations with this one
 */
export function updateMean(mean: Uint8Array | undefined, values: Float32Array, count: number): Uint8Array {
  if (!mean) return pack(values);
  const next = unpackMean(mean, values.length);
  for (let index = 0; index < next.length; index++) {
    const before = next[index] as number;
    next[index] = before + ((values[index] as number) - before) / count;
  }
  return pack(next);
}

/** The numbers of a mean that {@link updateMean} returned. */
export function unpackMean(bytes: Uint8Array, length = lengthOf(bytes)): Float32Array {
  if (length !== lengthOf(bytes)) {
    throw new LetheError(
      "data",
      "DATA_AUXILIARY_LENGTH",
      `Expected an auxiliary vector of ${lengthOf(bytes)} numbers as in earlier rounds, got ${length}.`,
    );
  }
  const values = new Float32Array(length);
  unpackHalfBlocks(bytes, values);
  return values;
}

function pack(values: Float32Array): Uint8Array {
  if (!values.every(Number.isFinite)) {
    throw new LetheError("numeric", "NUMERIC_AUXILIARY", "Expected finite numbers in an auxiliary vector.");
  }
  return packHalfBlocks(values);
}

/** How many numbers so many bytes hold. */
function lengthOf(bytes: Uint8Array): number {
  // The scales take one number in 257.
  let length = Math.floor((bytes.length / 2) * (256 / 257));
  while (halfBlockBytes(length) < bytes.length) length++;
  return length;
}
