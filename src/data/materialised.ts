import type { Samples } from "./dataset.ts";
import { completeSamples, requirePosition } from "./view.ts";

/**
 * The same samples with their features computed once and held as float32: a gather is then a copy of rows. For samples
 * that are read over and over, such as a client's, where the memory (4 bytes a number) is at hand.
 */
export function materialised(samples: Samples): Samples {
  const { count, featureLength } = samples;
  const features = new Float32Array(count * featureLength);
  samples.gather(
    Uint32Array.from({ length: count }, (_, position) => position),
    features,
  );
  return completeSamples({
    ...samples,
    gather(positions, out) {
      let at = 0;
      for (const position of positions) {
        requirePosition(position, count);
        out.set(features.subarray(position * featureLength, (position + 1) * featureLength), at);
        at += featureLength;
      }
    },
  });
}
