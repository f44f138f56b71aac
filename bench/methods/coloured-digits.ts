import type { Samples } from "../../src/data/dataset.ts";
import { samplesOf } from "../../src/data/samples.ts";
import { deriveKey, type Key, randomStream } from "../../src/kernel/key.ts";

/** Share of samples whose label is not what their digit says. */
const LABEL_NOISE = 0.1;
const PIXELS = 28 * 28;

/** How many samples of each (label, colour): the order is 0 red, 0 green, 1 red, 1 green. */
export type GroupCounts = readonly [number, number, number, number];

/**
 * Digits in one of two colours: the label says whether the digit is 5 or more, of a tenth of each group wrongly; the colour is the
 * attribute. Where groups are of unequal size, colour tells about the label.
 *
 * @param digits - images of one channel, read from `from` on; every image is used once
 */
export function colouredDigits(digits: Samples, counts: GroupCounts, key: Key, idPrefix: string): Samples {
  const stream = randomStream(deriveKey(key, idPrefix));
  const order = stream.permutation(digits.count);
  // Images of digits below five, and of the others, as they come up.
  const pools = [0, 1].map((half) =>
    order.filter((position) => Number((digits.labels[position] as number) >= 5) === half),
  );
  const readers = pools.map((pool) => pool.values()) as [ArrayIterator<number>, ArrayIterator<number>];
  const rows = counts.flatMap((count, group) =>
    Array.from({ length: count }, (_, index) => {
      const [label, colour] = [group >> 1, group & 1];
      const { value } = readers[index < LABEL_NOISE * count ? 1 - label : label]?.next() ?? {};
      if (value === undefined) throw new Error(`Expected more digits than ${digits.count}.`);
      return { label, colour, position: value };
    }),
  );
  const chosen = stream.permutation(rows.length);
  const shuffled = Array.from(chosen, (row) => rows[row] as (typeof rows)[number]);
  const values = new Float32Array(rows.length * 2 * PIXELS);
  shuffled.forEach(({ colour, position }, row) => {
    const from = (2 * row + colour) * PIXELS;
    digits.gather([position], values.subarray(from, from + PIXELS));
  });
  return samplesOf({
    idPrefix,
    featureShape: [2, 28, 28],
    features: { values },
    labels: Int32Array.from(shuffled, ({ label }) => label),
    classCount: 2,
    groups: {
      colour: { codes: Int32Array.from(shuffled, ({ colour }) => colour), names: ["red", "green"] },
    },
  });
}
