import { createHash } from "node:crypto";
import type { Digest } from "../kernel/digest.ts";
import { batchesOf } from "./batches.ts";
import type { Samples } from "./dataset.ts";

/** Samples read at a time. */
const BATCH = 512;

/**
 * SHA-256 of samples in their order: their number, shape, features (little-endian float32) and answers. Names, subjects and groups do not count:
 * two sets with one digest train the same model. Cost: one pass over the features.
 */
export function digestSamples(samples: Samples): Digest {
  const hash = createHash("sha256");
  hash.update(JSON.stringify([samples.count, samples.classCount, samples.featureShape]));
  for (const { features, labels } of batchesOf(samples, BATCH)) {
    for (const values of [features, labels]) {
      hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    }
  }
  return `sha256:${hash.digest("hex")}` as Digest;
}
