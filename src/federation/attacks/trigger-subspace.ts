import type { Samples } from "../../data/dataset.ts";
import { deriveKey, type Key, randomStream } from "../../kernel/key.ts";
import { attackError } from "./attack.ts";
import { principalSubspace } from "./principal-subspace.ts";
import { DESIGN_SIDE, imageShape, type Trigger } from "./trigger.ts";

const COMPONENTS = 50;
const SAMPLE_COUNT = 2000;
/** Length of the pattern on a 28 × 28 image. */
const DESIGN_NORM = 4;

/**
 * Adds a faint pattern over the whole image that lies in the span of the data's first 50 principal components: a random
 * direction of that span, of length 4 on 28 × 28 images and to scale on others. Honest training moves along these
 * directions all the time, so an unlearning rule that tells attack from data by direction cannot tell this one apart.
 *
 * Pixels are clipped to [0, 1], which takes the change a little out of the span.
 *
 * @param honest - images like those of the honest clients; 2,000 are read
 * @param key - decides the sample and the direction
 * @throws LETHE_USAGE_ATTACK for features that are no image, or images without variation
 */
export function subspaceTrigger(honest: Samples, key: Key): Trigger {
  const { channels, height, width } = imageShape(honest.featureShape);
  const request = { components: COMPONENTS, sampleCount: SAMPLE_COUNT };
  const basis = principalSubspace(honest, request, deriveKey(key, "subspace"));
  if (basis.length === 0) throw attackError("Expected images that differ from each other, got equal ones.");
  const norm = DESIGN_NORM * Math.sqrt((channels * height * width) / DESIGN_SIDE ** 2);
  const pattern = randomDirection(basis, honest.featureLength, norm, deriveKey(key, "direction"));
  return {
    words: "a faint pattern made of the data's own principal components",
    apply(out, offset) {
      for (let at = 0; at < pattern.length; at++) {
        const value = (out[offset + at] as number) + (pattern[at] as number);
        out[offset + at] = Math.min(1, Math.max(0, value));
      }
    },
  };
}

/** A vector of the span, uniform on its sphere of radius `norm`. */
function randomDirection(
  basis: readonly Float64Array[],
  length: number,
  norm: number,
  key: Key,
): Float64Array {
  const stream = randomStream(key);
  const weights = basis.map(() => stream.normal());
  const scale = norm / Math.hypot(...weights);
  return Float64Array.from({ length }, (_, at) =>
    basis.reduce((sum, direction, k) => sum + scale * (weights[k] as number) * (direction[at] as number), 0),
  );
}
