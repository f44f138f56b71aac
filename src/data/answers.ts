import type { Samples } from "./dataset.ts";

/**
 * What a model's predictions of samples are compared with, in their order: the label of each sample or, of text, the targets of
 * its positions.
 *
 * @returns [count, …targets.shape]; −100 (`IGNORED_LABEL`) where a position does not count
 */
export function answersOf(samples: Samples): Int32Array {
  const { targets, count, labels } = samples;
  if (targets === undefined) return labels;
  const length = targets.shape.reduce((product, size) => product * size, count);
  const gathered = new BigInt64Array(length);
  targets.gather(
    Uint32Array.from({ length: count }, (_, position) => position),
    gathered,
  );
  return Int32Array.from(gathered, Number);
}
