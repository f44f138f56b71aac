import type { Samples } from "../../data/dataset.ts";
import { type Key, randomStream } from "../../kernel/key.ts";

/** So many of the samples, drawn without replacement, in the order they were drawn; all where there are fewer. */
export function drawnSamples(samples: Samples, count: number, key: Key): Samples {
  return samples.subset(randomStream(key).permutation(samples.count).subarray(0, count));
}
