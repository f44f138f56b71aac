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

function codedAndDecoded(quantiser: Quantiser, values: Float32Array, step: number, label: number) {
  const frame = {
    planes: [{ rows: 1, columns: values.length }],
    dither: deriveKey(keyFromSeed(7), label),
    isDitherShared: true,
    coder: adaptive,
  };
  const bytes = quantiser.prepare({ ...frame, values })(step);
  const out = new Float32Array(values.length);
  quantiser.decode(bytes, { ...frame, count: values.length, workspace: createWorkspace() }, step, out);
  return { bytes, out };
}

describe.each(all)("quantiser %s", (id, quantiser) => {
  it("is found by its permanent number and carries its id", () => {
    expect(quantiserByWireId(quantiser.wireId)).toBe(quantiser);
    expect(quantiser.id).toBe(id);
  });

  it("decodes vectors of every length, all zeros and large values among them", () => {
    // Subnormal numbers have no digits for a scale of 8 bits.
    const ordinary = fc.float({ min: -4, max: 4, noNaN: true }).map((x) => (Math.abs(x) < 1e-30 ? 0 : x));
    const value = fc.oneof(fc.constant(0), ordinary, fc.constantFrom(1e5, -1e5));
    fc.assert(
      fc.property(
        fc.array(value, { maxLength: 40 }),
        fc.double({ min: 0.02, max: 9, noNaN: true }),
        (list, step) => {
          const values = Float32Array.from(list);
          const single = Math.fround(step);
          const { out } = codedAndDecoded(quantiser, values, single, 0);
          // The cells of D4, E8 and trellises reach one step from their centres, Z's half a step; int8's half a level.
          const largest = values.reduce((sofar, number) => Math.max(sofar, Math.abs(number)), 0);
          const bound =
            quantiser.rateControl === "step" ? single * 1.0001 + largest * 2 ** -22 : largest / 253;
          out.forEach((number, index) => {
            expect(Math.abs(number - (values[index] as number))).toBeLessThanOrEqual(bound);
          });
        },
      ),
      { numRuns: 100 },
    );
  });

  it("gives the same bytes for the same key", () => {
    const values = gaussian(500, 3);
    expect(codedAndDecoded(quantiser, values, 0.5, 1).bytes).toEqual(
      codedAndDecoded(quantiser, values, 0.5, 1).bytes,
    );
  });
});

describe.each(dithered)("the error of %s", (_id, quantiser) => {
  const count = 150_000;

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
