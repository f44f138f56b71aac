import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Samples } from "../../data/dataset.ts";
import { samplesOf } from "../../data/samples.ts";
import { keyFromSeed, randomStream } from "../../kernel/key.ts";
import { createAttack } from "./index.ts";

const key = keyFromSeed("attack");

/** Grey images of any shape, labels 0, 1, 2, 0, … */
function images(shape: readonly number[], count = 12, grey = 51): Samples {
  const length = shape.reduce((product, dimension) => product * dimension, 1);
  return samplesOf({
    idPrefix: "grey",
    featureShape: shape,
    features: { values: new Uint8Array(count * length).fill(grey), divisor: 255 },
    labels: Int32Array.from({ length: count }, (_, position) => position % 3),
    classCount: 3,
  });
}

/** Images of uniform noise. */
function noise(shape: readonly number[], count: number): Samples {
  const length = shape.reduce((product, dimension) => product * dimension, 1);
  const stream = randomStream(keyFromSeed("noise"));
  return samplesOf({
    idPrefix: "noise",
    featureShape: shape,
    features: { values: Uint8Array.from({ length: count * length }, () => stream.below(256)), divisor: 255 },
    labels: Int32Array.from({ length: count }, (_, position) => position % 3),
    classCount: 3,
  });
}

function rowOf(samples: Samples, position: number): Float32Array {
  const row = new Float32Array(samples.featureLength);
  samples.gather([position], row);
  return row;
}

/** The first channel with white as #, black as a space and grey as a dot. */
function drawing(samples: Samples, position = 0): readonly string[] {
  const [, height = 0, width = 0] = samples.featureShape;
  const row = rowOf(samples, position);
  return Array.from({ length: height }, (_, y) =>
    Array.from(row.subarray(y * width, (y + 1) * width), (value) =>
      value === 1 ? "#" : value === 0 ? " " : ".",
    ).join(""),
  );
}

function triggered(shape: readonly number[], trigger: string): Samples {
  const honest = images(shape);
  return createAttack("backdoor", { trigger }, { honest, key }).triggered(honest) as Samples;
}

describe("the corner trigger", () => {
  it("is a white square on rows and columns 24 to 26 of a 28 × 28 image", () => {
    const dots = ".".repeat(28);
    const square = `${".".repeat(24)}###.`;
    expect(drawing(triggered([1, 28, 28], "corner"))).toEqual([
      ...new Array(24).fill(dots),
      square,
      square,
      square,
      dots,
    ]);
  });

  it("keeps its proportions on other images, in every channel", () => {
    expect(drawing(triggered([1, 8, 8], "corner")).slice(6)).toEqual(["........", ".......#"]);
    const colour = triggered([3, 56, 56], "corner");
    expect(drawing(colour)[54]).toBe(".".repeat(56));
    expect(drawing(colour)[53]).toBe(`${".".repeat(48)}######..`);
    const row = rowOf(colour, 0);
    const white = [0, 1, 2].map((channel) =>
      row.subarray(channel * 3136, (channel + 1) * 3136).filter((v) => v === 1),
    );
    expect(white.map((pixels) => pixels.length)).toEqual([36, 36, 36]);
  });
});

describe("the centre trigger", () => {
  it("is a checkerboard of 4 × 4 pixels on rows and columns 12 to 15 of a 28 × 28 image", () => {
    const lines = drawing(triggered([1, 28, 28], "center"));
    const left = ".".repeat(12);
    expect(lines.slice(11, 17)).toEqual([
      ".".repeat(28),
      `${left}# # ${left}`,
      `${left} # #${left}`,
      `${left}# # ${left}`,
      `${left} # #${left}`,
      ".".repeat(28),
    ]);
  });

  it("has larger cells on large images and fewer on small ones", () => {
    expect(drawing(triggered([1, 8, 8], "center")).slice(2, 6)).toEqual([
      "........",
      "...# ...",
      "... #...",
      "........",
    ]);
    const large = drawing(triggered([1, 84, 84], "center"));
    expect(large[36]).toBe(`${".".repeat(36)}###   ###   ${".".repeat(36)}`);
    expect(large[38]).toBe(large[36]);
    expect(large[39]).toBe(`${".".repeat(36)}   ###   ###${".".repeat(36)}`);
  });

  it("fits any image", () => {
    const side = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(side, side, fc.constantFrom("corner", "center"), (height, width, trigger) => {
        const changed = rowOf(triggered([1, height, width], trigger), 0);
        expect(changed.length).toBe(height * width);
        expect(changed.some((value) => value === 1)).toBe(true);
      }),
    );
  });
});

describe("the subspace trigger", () => {
  const shape = [1, 6, 6];
  const honest = noise(shape, 300);

  it("adds one pattern to every image and clips it to the pixel range", () => {
    const attack = createAttack("backdoor", { trigger: "subspace" }, { honest, key });
    const grey = images(shape, 12, 128);
    const view = attack.triggered(grey) as Samples;
    const change = rowOf(view, 0).map((value) => value - 128 / 255);
    expect(Math.hypot(...change)).toBeGreaterThan(0.5);
    expect(rowOf(view, 1)).toEqual(rowOf(view, 0));
    const white = rowOf(attack.triggered(images(shape, 12, 255)) as Samples, 0);
    white.forEach((value, at) => {
      expect(value).toBeCloseTo(Math.min(1, 1 + (change[at] as number)), 5);
    });
  });

  it("needs images that differ from each other", () => {
    const context = { honest: images(shape), key };
    expect(() => createAttack("backdoor", { trigger: "subspace" }, context)).toThrow(
      /differ from each other/,
    );
  });

  it("depends on its key alone", () => {
    const row = (seed: number) => {
      const attack = createAttack("backdoor", { trigger: "subspace" }, { honest, key: keyFromSeed(seed) });
      return rowOf(attack.triggered(images(shape)) as Samples, 0);
    };
    expect(row(1)).toEqual(row(1));
    expect(row(1)).not.toEqual(row(2));
  });
});

describe("the backdoor", () => {
  it("puts trigger and target label on the asked fraction, and leaves the rest alone", () => {
    const honest = images([1, 28, 28], 40);
    fc.assert(
      fc.property(
        fc.double({ min: 0.05, max: 1, noNaN: true }),
        fc.nat(2),
        fc.integer(),
        (fraction, target, seed) => {
          const attack = createAttack("backdoor", { fraction, target }, { honest, key });
          const poisoned = attack.poison(honest, keyFromSeed(seed));
          const clean = rowOf(honest, 0);
          let changed = 0;
          for (let position = 0; position < 40; position++) {
            const isMarked = rowOf(poisoned, position)[24 * 28 + 24] === 1;
            if (isMarked) changed++;
            else expect(rowOf(poisoned, position)).toEqual(clean);
            expect(poisoned.labels[position]).toBe(isMarked ? target : position % 3);
            expect(poisoned.id(position)).toBe(`grey/${position}`);
          }
          expect(changed).toBe(Math.round(fraction * 40));
        },
      ),
      { numRuns: 30 },
    );
    expect([...honest.labels.subarray(0, 3)]).toEqual([0, 1, 2]);
    expect(rowOf(honest, 0)[24 * 28 + 24]).toBeCloseTo(0.2, 6);
  });

  it("chooses by the key", () => {
    const honest = images([1, 28, 28], 40);
    const attack = createAttack("backdoor", {}, { honest, key });
    const labels = (seed: number) => [...attack.poison(honest, keyFromSeed(seed)).labels];
    expect(labels(1)).toEqual(labels(1));
    expect(labels(1)).not.toEqual(labels(2));
  });

  it("is tested on images of other classes, labelled with the target", () => {
    const honest = images([1, 28, 28], 12);
    const attack = createAttack("backdoor", { target: 1 }, { honest, key });
    const view = attack.triggered(honest) as Samples;
    expect(view.count).toBe(8);
    expect([...view.labels]).toEqual(new Array(8).fill(1));
    expect(view.id(1)).toBe("grey/2");
    for (let position = 0; position < 8; position++) expect(rowOf(view, position)[24 * 28 + 24]).toBe(1);
  });
});

describe("the label flip", () => {
  it("teaches every class as the next one and changes no image", () => {
    const honest = images([1, 28, 28], 6);
    const attack = createAttack("labelflip", {}, { honest, key });
    const poisoned = attack.poison(honest, key);
    expect([...poisoned.labels]).toEqual([1, 2, 0, 1, 2, 0]);
    expect(rowOf(poisoned, 2)).toEqual(rowOf(honest, 2));
    expect([...(attack.triggered(honest) as Samples).labels]).toEqual([1, 2, 0, 1, 2, 0]);
    expect(attack.boost).toBe(5);
  });

  it("flips the asked fraction only", () => {
    const honest = images([4], 30);
    const poisoned = createAttack("labelflip", { fraction: 0.2 }, { honest, key }).poison(honest, key);
    expect(poisoned.labels.filter((label, position) => label !== position % 3)).toHaveLength(6);
  });
});

describe("no attack", () => {
  it("changes nothing and has nothing to succeed at", () => {
    const honest = images([4]);
    const attack = createAttack("none", {}, { honest, key });
    expect(attack.poison(honest, key)).toBe(honest);
    expect(attack.triggered(honest)).toBeUndefined();
    expect(attack.boost).toBe(1);
  });
});

describe("createAttack", () => {
  it.each([
    ["sybil", {}, /none, backdoor, labelflip, got `sybil`/],
    ["none", { boost: 2 }, /boost/],
    ["backdoor", { fraction: 0 }, /fraction/],
    ["backdoor", { boost: Number.POSITIVE_INFINITY }, /boost/],
    ["backdoor", { target: 3 }, /target class in 0 … 2, got 3/],
    ["backdoor", { trigger: "sticker" }, /trigger/],
    ["labelflip", { fraction: 1.5 }, /fraction/],
    ["labelflip", null, /labelflip/],
  ])("refuses %s with %j as a usage error", (id, config, text) => {
    const context = { honest: images([1, 8, 8]), key };
    expect(() => createAttack(id, config, context)).toThrow(
      expect.objectContaining({
        kind: "usage",
        code: "LETHE_USAGE_ATTACK",
        message: expect.stringMatching(text),
      }),
    );
  });

  it.each(["corner", "center", "subspace"])(
    "refuses to put the %s trigger on what is no image",
    (trigger) => {
      expect(() => createAttack("backdoor", { trigger }, { honest: images([4]), key })).toThrow(
        /shape \[4\]/,
      );
    },
  );
});
