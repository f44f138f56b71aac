import { LetheError } from "../kernel/errors.ts";
import type { Samples } from "./dataset.ts";
import { completeSamples } from "./view.ts";

/**
 * Two sets of samples as one, the first's positions first. Nothing is copied but the labels.
 *
 * @throws LETHE_INTERNAL_COLUMNS when their features differ in shape
 */
export function joinedSamples(first: Samples, second: Samples): Samples {
  if (first.featureShape.join() !== second.featureShape.join()) {
    throw new LetheError(
      "internal",
      "INTERNAL_COLUMNS",
      `Expected samples of one shape, got [${first.featureShape}] and [${second.featureShape}].`,
    );
  }
  const split = first.count;
  const at = <Value>(position: number, read: (samples: Samples, at: number) => Value): Value =>
    position < split ? read(first, position) : read(second, position - split);
  return completeSamples({
    ...first,
    count: split + second.count,
    classCount: Math.max(first.classCount, second.classCount),
    labels: concat(first.labels, second.labels),
    groupNames: [...new Set([...first.groupNames, ...second.groupNames])],
    id: (position) => at(position, (samples, local) => samples.id(local)),
    subject: (position) => at(position, (samples, local) => samples.subject(local)),
    groups: (position) => at(position, (samples, local) => samples.groups(local)),
    gather(positions, out) {
      const width = first.featureLength;
      // Runs of rows from one set are read at once.
      for (let start = 0; start < positions.length; ) {
        const isFirst = (positions[start] as number) < split;
        let end = start + 1;
        while (end < positions.length && (positions[end] as number) < split === isFirst) end++;
        const part = Uint32Array.from(
          { length: end - start },
          (_, index) => (positions[start + index] as number) - (isFirst ? 0 : split),
        );
        (isFirst ? first : second).gather(part, out.subarray(start * width, end * width));
        start = end;
      }
    },
  });
}

function concat(first: Int32Array, second: Int32Array): Int32Array {
  const all = new Int32Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
