import type { Samples } from "../../data/dataset.ts";
import { deriveKey, randomStream } from "../../kernel/key.ts";
import { ofClasses } from "./class-accuracy.ts";
import { cycledMinibatches, type Minibatch, type MinibatchOptions } from "./minibatches.ts";

/**
 * Minibatches that differ from each other on purpose: the classes are dealt anew to `count` hands in every epoch, and each stream
 * has the samples of one. With fewer classes than streams, those without a class have samples of all.
 *
 * @returns `count` streams without an end
 */
export function classDiverseBatches(
  samples: Samples,
  count: number,
  { batchSize, key, epoch }: MinibatchOptions,
): readonly Generator<Minibatch>[] {
  const present = [...new Set(samples.labels)].sort((a, b) => a - b);
  const order = randomStream(deriveKey(key, "deal", epoch)).permutation(present.length);
  return Array.from({ length: count }, (_, hand) => {
    const classes = present.filter((_, at) => (order[at] as number) % count === hand);
    const dealt = classes.length === 0 ? samples : ofClasses(samples, classes);
    return cycledMinibatches(dealt, { batchSize, key: deriveKey(key, hand), epoch });
  });
}
