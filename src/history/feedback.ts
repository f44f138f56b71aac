import { LetheError } from "../kernel/errors.ts";
import { deriveKey, fillRandomWords, type Key } from "../kernel/key.ts";
import { nibbleBlockBytes, packNibbleBlocks, unpackNibbleBlocks } from "./nibble-blocks.ts";
import type { RecordIdentity } from "./record.ts";

/** How the errors of a client's earlier records are made up for by later ones. */
export interface Feedback {
  /** The skew α of the unlearning rule the history is meant for: an earlier error counts (1 + α) a round. */
  readonly alpha: number;
  /** What the writer keeps per client: the residual exactly, or in about 4 bits a parameter, rounded at random. */
  readonly residual: "float32" | "int4";
}

/**
 * The update to code in place of h: h + (1 + α) e, e the residual of the client's earlier records.
 *
 * Then Σ (1+α)^(T−1−t) ĥ_t differs from Σ (1+α)^(T−1−t) h_t by the last residual only, however long the history.
 *
 * @param update - [length], its first `parameterLength` numbers take part, the rest stays
 * @param residual - bytes from {@link residualAfter}, undefined before the first record
 * @returns [length]
 * @throws LETHE_INTEGRITY_RESIDUAL for bytes of another length, or damaged ones
 * Source: F. Seide et al., "1-bit stochastic gradient descent", Interspeech 2014; S. P. Karimireddy et al., arXiv 1901.09847.
 */
export function withResidual(
  update: Float32Array,
  parameterLength: number,
  residual: Uint8Array | undefined,
  feedback: Feedback,
): Float32Array {
  if (residual === undefined) return update;
  const earlier = unpack(residual, parameterLength, feedback);
  const target = update.slice();
  const weight = 1 + feedback.alpha;
  for (let index = 0; index < parameterLength; index++) {
    target[index] = (update[index] as number) + weight * (earlier[index] as number);
  }
  return target;
}

/**
 * The residual that a record leaves: what was to be coded less what a reader decodes. Zero where that is no smaller than what was
 * to be coded: a record that says less than nothing, as dithered ones do at few bits, would hand on an error that grows
 * from round to round without end.
 *
 * @param key - of the history; the rounding of `int4` derives from it
 */
export function residualAfter(
  target: Float32Array,
  decoded: Float32Array,
  parameterLength: number,
  feedback: Feedback,
  key: Key,
  { round, client }: RecordIdentity,
): Uint8Array {
  const residual = new Float32Array(parameterLength);
  let [left, wanted] = [0, 0];
  for (let index = 0; index < parameterLength; index++) {
    const value = target[index] as number;
    const error = value - (decoded[index] as number);
    residual[index] = error;
    left += error * error;
    wanted += value * value;
  }
  if (left >= wanted) residual.fill(0);
  if (feedback.residual === "float32") return new Uint8Array(residual.buffer);
  const words = new Uint32Array(parameterLength);
  fillRandomWords(deriveKey(key, "residual", round, client), words);
  return packNibbleBlocks(residual, words);
}

function unpack(bytes: Uint8Array, length: number, { residual }: Feedback): Float32Array {
  const expected = residual === "float32" ? 4 * length : nibbleBlockBytes(length);
  const values = new Float32Array(length);
  if (bytes.length === expected) {
    if (residual === "int4") unpackNibbleBlocks(bytes, values);
    else new Uint8Array(values.buffer).set(bytes);
  }
  if (bytes.length === expected && values.every(Number.isFinite)) return values;
  throw new LetheError(
    "integrity",
    "INTEGRITY_RESIDUAL",
    `Expected a residual of ${length} finite numbers in ${expected} bytes, got ${bytes.length} bytes or others: it is damaged.`,
  );
}
