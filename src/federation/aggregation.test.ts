import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyMean, refusalOf, type ServerState, weightedMean } from "./aggregation.ts";

const LENGTH = 4;
const value = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 });
const update = fc
  .array(value, { minLength: LENGTH, maxLength: LENGTH })
  .map((values) => Float32Array.from(values));
const weighted = fc.record({ update, weight: fc.double({ min: 1e-3, max: 1e4, noNaN: true }) });
const updates = fc.array(weighted, { minLength: 1, maxLength: 8 });

/** Σ pᵤhᵤ / Σ pᵤ without rounding: weights and values as whole multiples of 2⁻¹⁵⁰ and 2⁻⁶⁴. */
function exactMean(
  inputs: readonly { readonly update: Float32Array; readonly weight: number }[],
  at: number,
): number {
  const fixed = (x: number, bits: number): bigint => {
    // A double is a whole number of 2⁻⁶⁰ steps after splitting off what is larger.
    const whole = Math.trunc(x);
    return (
      (BigInt(whole) << BigInt(bits)) + BigInt(Math.round((x - whole) * 2 ** 60)) * (1n << BigInt(bits - 60))
    );
  };
  let numerator = 0n;
  let denominator = 0n;
  for (const { update: values, weight } of inputs) {
    numerator += fixed(weight, 64) * fixed(values[at] as number, 64);
    denominator += fixed(weight, 64);
  }
  return Number((numerator << 60n) / denominator) / 2 ** 124;
}

describe("the weighted mean", () => {
  it("agrees with whole-number arithmetic", () => {
    fc.assert(
      fc.property(updates, (inputs) => {
        const mean = weightedMean(inputs);
        const largest = Math.max(...inputs.flatMap((input) => [...input.update.map(Math.abs)]));
        mean.forEach((found, at) => {
          // Half a float32 step of the result and some double roundings of the summands.
          const expected = exactMean(inputs, at);
          expect(Math.abs(found - expected)).toBeLessThanOrEqual(
            2 ** -24 * Math.abs(expected) + 2 ** -48 * largest + 2 ** -50,
          );
        });
      }),
    );
  });

  it("does not depend on the order of the clients but for rounding, nor on the scale of the weights", () => {
    fc.assert(
      fc.property(updates, fc.double({ min: 0.01, max: 100, noNaN: true }), (inputs, scale) => {
        const mean = weightedMean(inputs);
        const backwards = weightedMean([...inputs].reverse());
        const scaled = weightedMean(inputs.map((input) => ({ ...input, weight: input.weight * scale })));
        const largest = Math.max(...inputs.flatMap((input) => [...input.update.map(Math.abs)]));
        mean.forEach((found, at) => {
          const allowed = 2 ** -23 * Math.abs(found) + 2 ** -46 * largest;
          expect(Math.abs((backwards[at] as number) - found)).toBeLessThanOrEqual(allowed);
          expect(Math.abs((scaled[at] as number) - found)).toBeLessThanOrEqual(allowed);
        });
      }),
    );
  });

  it("of one client is its update, and stays among the clients' values", () => {
    fc.assert(
      fc.property(updates, (inputs) => {
        const [first] = inputs as [{ update: Float32Array; weight: number }];
        expect(weightedMean([first])).toEqual(first.update.map((x) => x + 0));
        weightedMean(inputs).forEach((found, at) => {
          const values = inputs.map((input) => input.update[at] as number);
          const slack = 2 ** -23 * Math.max(...values.map(Math.abs));
          expect(found).toBeGreaterThanOrEqual(Math.min(...values) - slack);
          expect(found).toBeLessThanOrEqual(Math.max(...values) + slack);
        });
      }),
    );
  });

  it("weighs by samples", () => {
    const mean = weightedMean([
      { update: Float32Array.of(1, 10), weight: 100 },
      { update: Float32Array.of(5, -10), weight: 300 },
    ]);
    expect([...mean]).toEqual([4, -5]);
  });

  it("of no clients is a numeric error", () => {
    expect(() => weightedMean([])).toThrowError(
      expect.objectContaining({ code: "LETHE_NUMERIC_NO_UPDATES", kind: "numeric" }),
    );
  });

  it("does not change the updates", () => {
    const own = Float32Array.of(1, 2);
    weightedMean([
      { update: own, weight: 3 },
      { update: Float32Array.of(7, 8), weight: 2 },
    ]).fill(0);
    weightedMean([{ update: own, weight: 3 }]).fill(0);
    expect([...own]).toEqual([1, 2]);
  });
});

describe("an update is refused", () => {
  it.each([
    ["for a NaN, with its place", Float32Array.of(1, Number.NaN, 3), /NaN at position 1/],
    ["for an infinity", Float32Array.of(1, 2, Number.NEGATIVE_INFINITY), /-Infinity at position 2/],
    ["when it is too short", Float32Array.of(1, 2), /Expected 3 values, got 2/],
    ["when it is too long", new Float32Array(4), /Expected 3 values, got 4/],
    ["when it is empty", new Float32Array(0), /got 0/],
  ])("%s", (_what, sent, reason) => {
    expect(refusalOf(sent, 3)).toMatch(reason);
  });

  it("and not otherwise, however large or small its values", () => {
    expect(refusalOf(Float32Array.of(3.4e38, -1e-45, 0), 3)).toBeUndefined();
  });
});

describe("the server's step", () => {
  it("with momentum follows w + l·Σ βᵏ h̄ over the rounds; running statistics move by the plain mean", () => {
    const step = fc.record({
      momentum: fc.double({ min: 0, max: 0.95, noNaN: true }),
      rate: fc.double({ min: 0.1, max: 1.5, noNaN: true }),
    });
    const small = fc.array(fc.float({ min: -1, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(step, small, fc.array(small, { minLength: 1, maxLength: 6 }), (settings, start, means) => {
        let state: ServerState = { weights: Float32Array.from(start), velocity: new Float32Array(3) };
        for (const mean of means) state = applyMean(state, Float32Array.from(mean), settings, 2);
        start.forEach((initial, at) => {
          let expected = initial;
          means.forEach((_, round) => {
            if (at === 2) expected += means[round]?.[at] as number;
            // The velocity of this round, written out.
            else
              for (let past = 0; past <= round; past++) {
                expected +=
                  settings.rate * settings.momentum ** (round - past) * (means[past]?.[at] as number);
              }
          });
          expect(state.weights[at]).toBeCloseTo(expected, 3);
        });
      }),
    );
  });

  it("without momentum and at rate 1 is plain averaging, bit for bit, whatever the velocity was", () => {
    const state = { weights: Float32Array.of(0.1, 0.2), velocity: Float32Array.of(55, -9) };
    const mean = Float32Array.of(0.3, -0.7);
    const next = applyMean(state, mean, { momentum: 0, rate: 1 }, 2);
    expect(next.weights).toEqual(
      Float32Array.of(Math.fround(0.1) + Math.fround(0.3), Math.fround(0.2) + Math.fround(-0.7)),
    );
    expect([...state.weights, ...state.velocity]).toEqual([Math.fround(0.1), Math.fround(0.2), 55, -9]);
  });
});
