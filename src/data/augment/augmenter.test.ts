import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyFromSeed } from "../../kernel/key.ts";
import { samplesOf } from "../samples.ts";
import { type Augmentation, createAugmenter, parseAugmentations } from "./augmenter.ts";

const SHAPE = [2, 4, 5];
const LENGTH = 40;
const samples = samplesOf({
  idPrefix: "t",
  featureShape: SHAPE,
  features: { values: Float32Array.from({ length: 30 * LENGTH }, (_, at) => 1 + at) },
  labels: new Int32Array(30),
  classCount: 1,
});

function augmentedRows(
  steps: readonly Augmentation[],
  positions: readonly number[],
  epoch = 0,
  seed = 1,
  of = samples,
) {
  const features = new Float32Array(positions.length * LENGTH);
  of.gather(positions, features);
  createAugmenter(steps, of, keyFromSeed(seed))(features, positions, epoch);
  return positions.map((_, row) => [...features.subarray(row * LENGTH, (row + 1) * LENGTH)]);
}

const all = [...samples.labels.keys()];
const original = (position: number) => {
  const row = new Float32Array(LENGTH);
  samples.gather([position], row);
  return [...row];
};

describe("createAugmenter", () => {
  it("gives a sample the same change in an epoch, whatever the batch and the other samples", () => {
    const steps = parseAugmentations("flip,crop:2,shift:1");
    fc.assert(
      fc.property(
        fc.shuffledSubarray(all, { minLength: 1 }),
        fc.nat(5),
        fc.integer(),
        (chosen, epoch, seed) => {
          const rows = augmentedRows(steps, all, epoch, seed);
          expect(augmentedRows(steps, chosen, epoch, seed)).toEqual(chosen.map((position) => rows[position]));
          const left = samples.subset(chosen);
          const positions = chosen.map((_, at) => at);
          expect(augmentedRows(steps, positions, epoch, seed, left)).toEqual(
            chosen.map((position) => rows[position]),
          );
        },
      ),
      { numRuns: 20 },
    );
  });

  it("changes with epoch and key", () => {
    const steps = parseAugmentations("crop:2");
    expect(augmentedRows(steps, all, 1)).not.toEqual(augmentedRows(steps, all, 0));
    expect(augmentedRows(steps, all, 0, 2)).not.toEqual(augmentedRows(steps, all, 0, 1));
  });

  it("mirrors every row of half the images", () => {
    const mirrored = (position: number) => {
      const row = original(position);
      return Array.from({ length: 8 }, (_, at) => row.slice(at * 5, (at + 1) * 5).reverse()).flat();
    };
    const epochs = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    const rows = epochs.flatMap((epoch) => augmentedRows([{ id: "flip" }], all, epoch));
    const flipped = rows.filter((row, at) => row[0] !== original(at % all.length)[0]);
    rows.forEach((row, at) => {
      const position = at % all.length;
      expect([original(position), mirrored(position)]).toContainEqual(row);
    });
    // Of 300 fair draws; five deviations of 8.7.
    expect(Math.abs(flipped.length - 150)).toBeLessThan(44);
  });

  it.each(["crop", "shift"] as const)("moves channels alike by %s, each move about as often", (id) => {
    const moves = new Map<string, number>();
    for (let epoch = 0; epoch < 30; epoch++) {
      for (const [at, row] of augmentedRows([{ id, pixels: 1 }], all, epoch).entries()) {
        const before = original(at);
        // The middle pixel (1, 2) of channel 0 tells the move.
        const from = before.indexOf(row[7] as number);
        const [down, right] = [1 - Math.floor(from / 5), 2 - (from % 5)];
        moves.set(`${down},${right}`, (moves.get(`${down},${right}`) ?? 0) + 1);
        expect(row[20 + 7]).toBe(before[20 + from]);
        const corner = row[0] as number;
        if (down === 1 && right === 1) expect(corner).toBe(id === "crop" ? 0 : before[0]);
      }
    }
    expect([...moves.keys()].sort()).toHaveLength(9);
    // Of 900 draws of nine; five deviations of 9.4.
    for (const count of moves.values()) expect(Math.abs(count - 100)).toBeLessThan(47);
  });

  it("refuses samples that are no images and moves as large as one", () => {
    const table = samplesOf({
      idPrefix: "t",
      featureShape: [4],
      features: { values: new Float32Array(4) },
      labels: new Int32Array(1),
      classCount: 1,
    });
    expect(() => createAugmenter([{ id: "flip" }], table, keyFromSeed(1))).toThrow(
      /images .*got samples \[4\]/,
    );
    expect(() => createAugmenter([{ id: "crop", pixels: 4 }], samples, keyFromSeed(1))).toThrow(
      /less than 4 pixels/,
    );
  });
});

describe("parseAugmentations", () => {
  it("reads steps in their order", () => {
    expect(parseAugmentations("crop:4,flip")).toEqual([{ id: "crop", pixels: 4 }, { id: "flip" }]);
  });

  it.each(["", "flip,", "flip:1", "crop", "crop:0", "crop:-1", "crop:x", "rotate:3", "flip, crop:1"])(
    "refuses %j",
    (text) => {
      expect(() => parseAugmentations(text)).toThrow(
        expect.objectContaining({ code: "LETHE_USAGE_AUGMENT" }),
      );
    },
  );
});
