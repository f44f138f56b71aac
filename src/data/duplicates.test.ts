import { describe, expect, it } from "vitest";
import { deriveKey, keyFromSeed, randomStream } from "../kernel/key.ts";
import { exactDuplicates, type NearDuplicateOptions, nearDuplicates } from "./duplicates.ts";
import { samplesOf } from "./samples.ts";

const key = keyFromSeed("duplicates");

function samplesWith(rows: readonly (readonly number[])[]) {
  return samplesOf({
    idPrefix: "t",
    featureShape: [rows[0]?.length ?? 1],
    features: { values: Float32Array.from(rows.flat()) },
    labels: new Int32Array(rows.length),
    classCount: 1,
  });
}

describe("exactDuplicates", () => {
  it("finds groups of equal features, whatever the labels", () => {
    const groups = exactDuplicates(
      samplesWith([
        [1, 2],
        [3, 4],
        [1, 2],
        [5, 6],
        [3, 4],
        [1, 2],
      ]),
    );
    expect(groups.map((group) => [...group])).toEqual([
      [0, 2, 5],
      [1, 4],
    ]);
  });

  it("takes no small difference for none", () => {
    expect(exactDuplicates(samplesWith([[1], [1 + 2 ** -23]]))).toEqual([]);
  });
});

describe("nearDuplicates", () => {
  const length = 40;
  const stream = randomStream(key);
  const normalRow = () => Array.from({ length }, () => stream.normal());
  /** 200 originals, each followed by a copy at a distance of a tenth to a bit more than one. */
  const originals = Array.from({ length: 200 }, normalRow);
  const copies = originals.map((row, at) => {
    const direction = normalRow();
    const norm = Math.hypot(...direction);
    return row.map((value, index) => value + (((at % 12) + 1) / 10) * ((direction[index] as number) / norm));
  });
  const samples = samplesWith([...originals, ...copies]);
  const [of, among] = [originals.map((_, at) => at), copies.map((_, at) => at + originals.length)] as const;
  const find = (options: Omit<NearDuplicateOptions, "key">) =>
    nearDuplicates(samples, of, among, { ...options, key });

  it("finds nine in ten of the pairs within the distance, and none beyond", () => {
    const pairs = find({ measure: "euclidean", threshold: 1.05 });
    for (const { of: original, duplicate, distance } of pairs) {
      expect(duplicate).toBe(original + 200);
      expect(distance).toBeCloseTo(((original % 12) + 1) / 10, 4);
    }
    const within = of.filter((at) => at % 12 < 10).length;
    expect(pairs.length).toBeGreaterThan(0.9 * within);
    expect(pairs.length).toBeLessThanOrEqual(within);
    // Half the threshold is as good as sure.
    const near = of.filter((at) => at % 12 < 5);
    expect(near.every((at) => pairs.some((pair) => pair.of === at))).toBe(true);
  });

  it("compares directions alone by the cosine", () => {
    const scaled = samplesWith([
      [1, 2, 3],
      [2, 4, 6.001],
      [3, -2, 1],
      [0, 0, 0],
    ]);
    const pairs = nearDuplicates(scaled, [0, 3], [0, 1, 2, 3], { measure: "cosine", threshold: 0.01, key });
    expect(pairs).toHaveLength(1);
    expect(pairs[0]).toMatchObject({ of: 0, duplicate: 1 });
    expect(pairs[0]?.distance).toBeLessThan(1e-6);
  });

  it("gives the same pairs for the same key", () => {
    const options = { measure: "euclidean", threshold: 1.05 } as const;
    const run = (label: number) =>
      nearDuplicates(samples, of, among, { ...options, key: deriveKey(key, label) });
    expect(run(1)).toEqual(run(1));
  });

  it.each([
    ["cosine", 1],
    ["cosine", 0],
    ["euclidean", Number.NaN],
  ] as const)("refuses the threshold of %s %s", (measure, threshold) => {
    expect(() => find({ measure, threshold })).toThrow(/Expected a threshold in \(0, /);
  });
});
