import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { advanceError, leaverFactors, removalTerms } from "./removal-error.ts";
import { unpackMean } from "./running-mean.ts";

const LENGTH = 5;
const names = ["anna", "bert", "cleo", "dora"];
const vector = fc
  .array(fc.float({ min: -2, max: 2, noNaN: true }), { minLength: LENGTH, maxLength: LENGTH })
  .map((values) => Float32Array.from(values));

interface Part {
  readonly client: string;
  readonly weight: number;
  readonly update: Float32Array;
}

/** Rounds in which some of the clients took part, with weights that change if they may. */
function rounds(areWeightsFixed: boolean): fc.Arbitrary<readonly (readonly Part[])[]> {
  const round = fc
    .tuple(
      fc.array(vector, { minLength: 4, maxLength: 4 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 4, maxLength: 4 }),
      fc.subarray([0, 1, 2, 3], { minLength: areWeightsFixed ? 4 : 1 }),
    )
    .map(([updates, weights, present]) =>
      present.map((i) => ({
        client: names[i] as string,
        weight: areWeightsFixed ? 1 + i : (weights[i] as number),
        update: updates[i] as Float32Array,
      })),
    );
  return fc.array(round, { minLength: 1, maxLength: 8 });
}

/** The definition: rounds aggregated with and without the leavers, discounted. */
function errorOf(
  history: readonly (readonly Part[])[],
  leavers: readonly string[],
  alpha: number,
): Float64Array {
  const error = new Float64Array(LENGTH);
  for (const parts of history) {
    const kept = parts.filter(({ client }) => !leavers.includes(client));
    for (let i = 0; i < LENGTH; i++) {
      const isTouched = kept.length < parts.length;
      const term = isTouched ? mean(parts, i) - mean(kept, i) : 0;
      error[i] = (1 + alpha) * (error[i] as number) + term;
    }
  }
  return error;
}

function mean(parts: readonly Part[], i: number): number {
  const total = parts.reduce((sum, { weight }) => sum + weight, 0);
  return parts.reduce((sum, { weight, update }) => sum + (weight / total) * (update[i] as number), 0);
}

/** What the sums of a history give for a set of leavers. */
function fromSums(
  history: readonly (readonly Part[])[],
  leavers: readonly string[],
  alpha: number,
): Float64Array {
  const sums = new Map<string, Uint8Array>();
  const scratch = new Float32Array(LENGTH);
  for (const parts of history) {
    const term = removalTerms(parts);
    for (const name of names) {
      const at = parts.findIndex(({ client }) => client === name);
      const before = sums.get(name);
      if (at < 0 && !before) continue;
      if (at >= 0) term(at, scratch);
      sums.set(name, advanceError(before, alpha, at < 0 ? undefined : scratch));
    }
  }
  const shares = history.map((parts) => {
    const total = parts.reduce((sum, { weight }) => sum + weight, 0);
    return new Map(parts.map(({ client, weight }) => [client, weight / total]));
  });
  const error = new Float64Array(LENGTH);
  for (const [client, factor] of leaverFactors(shares, leavers)) {
    const sum = unpackMean(sums.get(client) as Uint8Array);
    for (let i = 0; i < LENGTH; i++) error[i] = (error[i] as number) + factor * (sum[i] as number);
  }
  return error;
}

function expectClose(actual: Float64Array, expected: Float64Array): void {
  // Half precision keeps 11 bits of the largest number that was in the block, up to eight times.
  const tolerance = 0.02 * (1 + Math.max(...expected.map(Math.abs)) + 20);
  for (const [i, value] of actual.entries())
    expect(Math.abs(value - (expected[i] as number))).toBeLessThan(tolerance);
}

const alpha = fc.double({ min: -0.9, max: 0, noNaN: true });

describe("the sums of removal errors", () => {
  it("give what aggregating again without one client gives, whoever takes part and with any weights", () => {
    fc.assert(
      fc.property(rounds(false), alpha, (history, skew) => {
        const leaver = history[0]?.[0]?.client ?? "";
        expectClose(fromSums(history, [leaver], skew), errorOf(history, [leaver], skew));
      }),
      { numRuns: 60 },
    );
  });

  it("give it for sets of clients too, where shares stay the same", () => {
    fc.assert(
      fc.property(
        rounds(true),
        alpha,
        fc.subarray(names, { minLength: 1, maxLength: 3 }),
        (history, skew, leavers) => {
          expectClose(fromSums(history, leavers, skew), errorOf(history, leavers, skew));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("are refused for a set whose shares changed", () => {
    const update = new Float32Array(LENGTH).fill(1);
    const round = (weights: readonly number[]) =>
      weights.map((weight, i) => ({ client: names[i] as string, weight, update }));
    expect(() => fromSums([round([1, 1, 1]), round([1, 2, 1])], ["anna", "bert"], 0)).toThrow(
      expect.objectContaining({ code: "LETHE_USAGE_MODE" }),
    );
  });
});
