import { z } from "zod";
import { LetheError } from "../../kernel/errors.ts";

/**
 * What a resumed run needs beside the server's weights, kept with every accepted round. No clock readings: a resumed run must
 * end with the same digests as an uninterrupted one.
 */
const progressSchema = z.strictObject({
  localSteps: z.int(),
  clientRounds: z.int(),
  series: z.array(
    z.strictObject({ round: z.int(), accuracy: z.number(), attackSuccess: z.number().optional() }),
  ),
});

/** Counts and curve of the rounds so far. */
export type RunProgress = z.output<typeof progressSchema>;

/**
 * Encodes the server's velocity and the run's progress: [4 bytes length | JSON | float32 …].
 *
 * @param velocity - empty for a server without momentum, which needs none
 */
export function encodeCheckpoint(velocity: Float32Array, progress: RunProgress): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(progress));
  const bytes = new Uint8Array(4 + text.length + velocity.byteLength);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 4);
  bytes.set(new Uint8Array(velocity.buffer, velocity.byteOffset, velocity.byteLength), 4 + text.length);
  return bytes;
}

/**
 * Reads what {@link encodeCheckpoint} wrote.
 *
 * @param length - values of the velocity
 * @throws LETHE_INTEGRITY_CHECKPOINT
 */
export function decodeCheckpoint(
  bytes: Uint8Array,
  length: number,
): { velocity: Float32Array; progress: RunProgress } {
  try {
    const textLength = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0, true);
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(4, 4 + textLength));
    const progress = progressSchema.parse(JSON.parse(text));
    const velocity = new Float32Array(new Uint8Array(bytes.subarray(4 + textLength)).buffer);
    if (velocity.length === 0) return { velocity: new Float32Array(length), progress };
    if (velocity.length !== length) throw new Error(`${velocity.length} values of ${length}`);
    return { velocity, progress };
  } catch (cause) {
    throw new LetheError(
      "integrity",
      "INTEGRITY_CHECKPOINT",
      "Expected a readable checkpoint in the history.",
      { cause },
    );
  }
}
