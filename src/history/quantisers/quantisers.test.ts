import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deriveKey, keyFromSeed, randomStream } from "../../kernel/key.ts";
import { adaptive } from "../coding/adaptive.ts";
import { createWorkspace } from "../workspace.ts";
import type { Quantiser } from "./contract.ts";
import { quantiserByWireId, quantisers } from "./index.ts";

const all = Object.entries<Quantiser>(quantisers);
const dithered = all.filter(([, { errorPerSquaredStep }]) => errorPerSquaredStep !== undefined);

function gaussian(count: number, seed: number): Float32Array {
  const stream = randomStream(keyFromSeed(seed));
  return Float32Array.from({ length: count }, () => stream.normal());
}

function codedAndDecoded(
  quantiser: Quantiser,
  values: Float32Array,
  setting: number,
  label: number,
  isDitherShared = true,
) {
  const frame = {
    planes: [{ rows: 1, columns: values.length }],
    dither: deriveKey(keyFromSeed(7), label),
    isDitherShared,
    coder: adaptive,
    workspace: createWorkspace(),
  };
  const bytes = quantiser.prepare({ ...frame, values })(setting);
  const out = new Float32Array(values.length);
  quantiser.decode(bytes, { ...frame, count: values.length }, setting, out);
  return { bytes, out };
}

/** The largest error a quantiser may make of a value, the largest magnitude of its vector given. */
const errorBounds: Readonly<Record<string, (value: number, largest: number) => number>> = {
  none: () => 0,
  int8: (_, largest) => largest / 253,
  // Half a level; the scale has 8 bits.
  int4: (_, largest) => (largest / 14) * (1 + 2 ** -7),
  // Half a unit of 11 bits; below 2^-24 of the block's largest the unit no longer shrinks.
  float16: (value, largest) => Math.max(Math.abs(value) * 2 ** -11, largest * 2 ** -38),
};

// Subnormal numbers have no digits for a scale of 8 bits.
const ordinary = fc.float({ min: -4, max: 4, noNaN: true }).map((x) => (Math.abs(x) < 1e-30 ? 0 : x));
const vector = fc
  .array(fc.oneof(fc.constant(0), ordinary, fc.constantFrom(1e5, -1e5)), { maxLength: 40 })
  .map((list) => Float32Array.from(list));

describe.each(all)("quantiser %s", (id, quantiser) => {
  it("is found by its permanent number and carries its id", () => {
    expect(quantiserByWireId(quantiser.wireId)).toBe(quantiser);
    expect(quantiser.id).toBe(id);
  });

  it("gives the same bytes for the same key", () => {
    const values = gaussian(500, 3);
    expect(codedAndDecoded(quantiser, values, 0.5, 1).bytes).toEqual(
      codedAndDecoded(quantiser, values, 0.5, 1).bytes,
    );
  });
});

describe.each(all.filter(([, { rateControl }]) => rateControl === "step"))(
  "quantiser %s",
  (_id, quantiser) => {
    it("stays within a step of every value, in vectors of every length", () => {
      fc.assert(
        fc.property(vector, fc.double({ min: 0.02, max: 9, noNaN: true }), (values, step) => {
          const single = Math.fround(step);
          const { out } = codedAndDecoded(quantiser, values, single, 0);
          const largest = values.reduce((sofar, number) => Math.max(sofar, Math.abs(number)), 0);
          // The cells of D4, E8 and trellises reach one step from their centres, and single precision ends somewhere.
          const bound = single * 1.0001 + largest * 2 ** -22;
          out.forEach((number, index) => {
            expect(Math.abs(number - (values[index] as number))).toBeLessThanOrEqual(bound);
          });
        }),
        { numRuns: 60 },
      );
    });
  },
);

describe.each(all.filter(([, { rateControl }]) => rateControl === "none"))(
  "quantiser %s",
  (id, quantiser) => {
    it("stays within its resolution of every value, in vectors of every length", () => {
      const bound = errorBounds[id] as (value: number, largest: number) => number;
      fc.assert(
        fc.property(vector, (values) => {
          const { out } = codedAndDecoded(quantiser, values, 0, 0);
          const largest = values.reduce((sofar, number) => Math.max(sofar, Math.abs(number)), 0);
          values.forEach((value, index) => {
            expect(Math.abs((out[index] as number) - value)).toBeLessThanOrEqual(bound(value, largest));
          });
        }),
        { numRuns: 200 },
      );
    });
  },
);

describe("quantisers that keep some values", () => {
  const size = fc.integer({ min: 0, max: 200 });

  it("topk keeps the largest exactly, as many as fit, and zeros for the rest", () => {
    fc.assert(
      fc.property(vector, size, (values, bytes) => {
        const { out, bytes: coded } = codedAndDecoded(quantisers.topk, values, bytes, 0);
        expect(coded.length).toBeLessThanOrEqual(Math.max(bytes, 9));
        const kept = values.filter((value, index) => value !== 0 && out[index] === value);
        out.forEach((value, index) => {
          if (value !== 0) expect(value).toBe(values[index]);
        });
        const left = values.filter((_, index) => out[index] === 0).map(Math.abs);
        expect(Math.max(0, ...left)).toBeLessThanOrEqual(
          Math.min(Number.POSITIVE_INFINITY, ...kept.map(Math.abs)),
        );
      }),
      { numRuns: 300 },
    );
  });

  it("randk keeps as many as fit, scaled so that their mean is the values'", () => {
    const values = gaussian(50, 8);
    const [sums, trials, kept] = [new Float64Array(50), 1500, 10];
    for (let label = 0; label < trials; label++) {
      const { out } = codedAndDecoded(quantisers.randk, values, 4 * kept, label);
      out.forEach((value, index) => {
        if (value !== 0) expect(value).toBeCloseTo(5 * (values[index] as number), 5);
        sums[index] = (sums[index] as number) + value / trials;
      });
    }
    // Of each value's mean the variance is x² (n/k − 1) / trials; together chi-square with 49 degrees of freedom.
    const squares = values.map(
      (value, index) => ((sums[index] as number) - value) ** 2 / ((4 * value * value) / trials),
    );
    const total = squares.reduce((sum, value) => sum + value, 0);
    expect(Math.abs(total - 50)).toBeLessThan(5 * Math.sqrt(2 * 50));
  });
});

describe.each(all.filter(([, { isLattice }]) => isLattice))("unshared dither with %s", (_id, quantiser) => {
  it("is unbiased and has on average twice the error of a shared one", () => {
    const values = gaussian(6000, 13);
    const dithers = 30;
    const step = 1.5;
    const sums = new Float64Array(values.length);
    let squares = 0;
    for (let label = 0; label < dithers; label++) {
      const { out } = codedAndDecoded(quantiser, values, step, 200 + label, false);
      for (let index = 0; index < values.length; index++) {
        const error = (out[index] as number) - (values[index] as number);
        sums[index] = (sums[index] as number) + error;
        squares += error * error;
      }
    }
    const meanSquare = squares / dithers / values.length;
    const squaredMean = sums.reduce((sum, value) => sum + (value / dithers) ** 2, 0) / values.length;
    expect(Math.abs((squaredMean * dithers) / meanSquare - 1)).toBeLessThan(0.06);
    const shared = (quantiser.errorPerSquaredStep as number) * step * step;
    expect(Math.abs(meanSquare / shared / 2 - 1)).toBeLessThan(0.03);
  });
});

describe.each(dithered)("the error of %s", (_id, quantiser) => {
  const count = 80_000;

  it.each([0.5, 2])(
    "has the cell's second moment and is uncorrelated with the values at a step of %d std",
    (step) => {
      const values = gaussian(count, 11);
      const { out } = codedAndDecoded(quantiser, values, step, 2);
      let squares = 0;
      let products = 0;
      let energy = 0;
      for (let index = 0; index < count; index++) {
        const value = values[index] as number;
        const error = (out[index] as number) - value;
        squares += error * error;
        products += error * value;
        energy += value * value;
      }
      const expected = (quantiser.errorPerSquaredStep as number) * step * step;
      expect(Math.abs(squares / count / expected - 1)).toBeLessThan(0.01);
      expect(Math.abs(products / Math.sqrt(squares * energy))).toBeLessThan(0.01);
    },
  );

  it("averages out over dithers: (mean error)² K / MSE is 1", () => {
    const dithers = 40;
    const values = gaussian(8000, 12);
    const sums = new Float64Array(values.length);
    let squares = 0;
    for (let label = 0; label < dithers; label++) {
      const { out } = codedAndDecoded(quantiser, values, 1.5, 100 + label);
      for (let index = 0; index < values.length; index++) {
        const error = (out[index] as number) - (values[index] as number);
        sums[index] = (sums[index] as number) + error;
        squares += error * error;
      }
    }
    const meanSquare = squares / dithers / values.length;
    const squaredMean = sums.reduce((sum, value) => sum + (value / dithers) ** 2, 0) / values.length;
    expect(Math.abs((squaredMean * dithers) / meanSquare - 1)).toBeLessThan(0.03);
  });
});

describe("dithered rates on Gaussian values", () => {
  const count = 60_000;

  // Entropies of the indices given the dither, and Shannon's R(D) + ½ log2(2πe G) at high resolution.
  it.each([
    ["z" as const, 2, -9.8],
    ["a2" as const, 2, -9.95],
    ["d4" as const, 2, -10.2],
    ["e8" as const, 2, -10.45],
    ["tcq4" as const, 2, -10.9],
    ["tcq8" as const, 2, -11],
    ["tcq64" as const, 2, -11.15],
  ])("%s reaches at %d bits an error of at most %d dB", (id, bits, decibels) => {
    const values = gaussian(count, 21);
    let low = 0.1;
    let high = 4;
    let error = 0;
    for (let halving = 0; halving < 11; halving++) {
      const step = Math.fround((low + high) / 2);
      const { bytes, out } = codedAndDecoded(quantisers[id], values, step, 5);
      if ((8 * bytes.length) / count > bits) low = step;
      else {
        high = step;
        error = out.reduce((sum, value, index) => sum + (value - (values[index] as number)) ** 2, 0) / count;
      }
    }
    expect(10 * Math.log10(error)).toBeLessThan(decibels);
  });
});
