import { alteredSamples } from "../../data/altered.ts";
import type { Samples } from "../../data/dataset.ts";
import { type Key, randomStream } from "../../kernel/key.ts";

/**
 * A label other than the true one for every sample, uniform over the other classes.
 *
 * @param labels - [count], in 0 … classes − 1
 * @param left - classes that are not to be given, such as those being forgotten; ignored where nothing else remains
 */
export function wrongLabels(
  labels: Int32Array,
  classes: number,
  key: Key,
  left: readonly number[] = [],
): Int32Array {
  const stream = randomStream(key);
  const all = Array.from({ length: classes }, (_, label) => label);
  const kept = all.filter((label) => !left.includes(label));
  return labels.map((label) => {
    const others = (kept.some((other) => other !== label) ? kept : all).filter((other) => other !== label);
    return others[stream.below(others.length)] as number;
  });
}

/** A label for every sample, uniform over all classes, the true one included. */
function randomLabelsOf(count: number, classes: number, key: Key): Int32Array {
  const stream = randomStream(key);
  return Int32Array.from({ length: count }, () => stream.below(classes));
}

/** How labels are drawn: `wrong` is uniform over the other classes that are kept, `any` over all, the true one included. */
export interface RandomLabels {
  readonly labels: "wrong" | "any";
  readonly classes: number;
  readonly key: Key;
  /** Classes that are being forgotten whole. */
  readonly left: readonly number[];
}

/** The samples with random labels. */
export function randomlyLabelled(samples: Samples, { labels, classes, key, left }: RandomLabels): Samples {
  const given =
    labels === "any"
      ? randomLabelsOf(samples.count, classes, key)
      : wrongLabels(samples.labels, classes, key, left);
  return alteredSamples(samples, { labels: given });
}
