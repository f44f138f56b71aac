/**
 * The classes a model finds likeliest for each sample, its own label and the classes of `left` left out, in descending order.
 *
 * @param logits - [count, classes]
 * @param labels - [count]
 * @returns [count] lists of `depth` classes, fewer where there are no more
 */
export function rankedClasses(
  logits: Float32Array,
  labels: Int32Array,
  classes: number,
  depth: number,
  left: readonly number[] = [],
): number[][] {
  return Array.from(labels, (label, row) =>
    Array.from({ length: classes }, (_, other) => other)
      .filter((other) => other !== label && !left.includes(other))
      .sort((a, b) => (logits[row * classes + b] as number) - (logits[row * classes + a] as number))
      .slice(0, depth),
  );
}
