import { describe, expect, it } from "vitest";
import { deriveKey, type Key, keyFromSeed, randomStream } from "../kernel/key.ts";
import { layoutOf } from "../kernel/layout.ts";
import { type QuantiserId, quantisers } from "./quantisers/index.ts";
import { decodeUpdate, encodeUpdate } from "./update-codec.ts";

/** updates[t][u] */
type Updates = readonly (readonly Float32Array[])[];

/** w' = w_T + Σ_t (1+α)^(T−1−t) (mean over u ≠ ũ of h_t^u − h_t^ũ) / U, with ũ = 0: the paper's rule. */
function unlearned(final: Float32Array, updates: Updates, alpha: number): Float64Array {
  const out = Float64Array.from(final);
  updates.forEach((round, t) => {
    const discount = (1 + alpha) ** (updates.length - 1 - t) / round.length;
    round.forEach((update, u) => {
      const share = u === 0 ? -discount : discount / (round.length - 1);
      for (let index = 0; index < out.length; index++) {
        out[index] = (out[index] as number) + share * (update[index] as number);
      }
    });
  });
  return out;
}

function gaussianUpdates(rounds: number, clients: number, length: number): Updates {
  const stream = randomStream(keyFromSeed(4));
  return Array.from({ length: rounds }, (_, t) =>
    Array.from({ length: clients }, () =>
      Float32Array.from({ length }, () => stream.normal() / (1 + 0.1 * t)),
    ),
  );
}

function throughCodec(updates: Updates, key: Key, quantiser: QuantiserId, stepPerRms: number) {
  const length = updates[0]?.[0]?.length ?? 0;
  const frame = { layout: layoutOf([{ name: "w", shape: [length], role: "parameter" }]), key };
  const steps: number[][] = [];
  const decoded = updates.map((round, t) =>
    round.map((update, u) => {
      const identity = { round: t, client: String(u) };
      const { record, step } = encodeUpdate(update, frame, identity, { quantiser, rate: { stepPerRms } });
      steps[t] = [...(steps[t] ?? []), step];
      const out = new Float32Array(length);
      decodeUpdate(record, frame, identity, out);
      return out;
    }),
  );
  return { decoded, steps };
}

const squaredNorm = (vector: Float64Array): number => vector.reduce((sum, value) => sum + value * value, 0);
const minus = (a: Float64Array, b: Float64Array): Float64Array =>
  a.map((value, index) => value - (b[index] as number));

describe("unlearning from a coded history", () => {
  it("reaches the uncoded result as the step goes to zero", () => {
    const updates = gaussianUpdates(5, 4, 300);
    const { decoded } = throughCodec(updates, keyFromSeed(1), "z", 1e-6);
    const final = new Float32Array(300);
    const gap = minus(unlearned(final, decoded, -0.15), unlearned(final, updates, -0.15));
    expect(Math.sqrt(squaredNorm(gap) / 300)).toBeLessThan(1e-6);
  });

  it.each([
    ["z" as const, 0],
    ["z" as const, -0.15],
    ["e8" as const, 0],
    ["d4" as const, 0],
    ["a2" as const, -0.15],
    ["tcq8" as const, 0],
  ])("has with %s and α = %d exactly the error of the theorem, and no bias", (quantiser, alpha) => {
    const [rounds, clients, length, trials] = [8, 6, 400, 30];
    const updates = gaussianUpdates(rounds, clients, length);
    const final = new Float32Array(length);
    const exact = unlearned(final, updates, alpha);
    const moment = quantisers[quantiser].errorPerSquaredStep ?? 0;
    const sum = new Float64Array(length);
    let observed = 0;
    let expected = 0;
    for (let trial = 0; trial < trials; trial++) {
      const { decoded, steps } = throughCodec(updates, deriveKey(keyFromSeed(2), trial), quantiser, 1);
      const gap = minus(unlearned(final, decoded, alpha), exact);
      observed += squaredNorm(gap) / trials;
      gap.forEach((value, index) => {
        sum[index] = (sum[index] as number) + value;
      });
      // Σ_t (1+α)^(2(T−1−t)) [Σ_{u≠ũ} σ² + (U−1)² σ_ũ²] / (U² (U−1)²), σ² = length · moment · step².
      steps.forEach((round, t) => {
        const discount = (1 + alpha) ** (2 * (rounds - 1 - t)) / (clients * (clients - 1)) ** 2;
        round.forEach((step, u) => {
          const weight = u === 0 ? (clients - 1) ** 2 : 1;
          expected += (discount * weight * length * moment * step * step) / trials;
        });
      });
    }
    expect(Math.abs(observed / expected - 1)).toBeLessThan(0.05);
    // Each mean over trials has variance observed / length / trials: the sum of squares is chi-square with `length`
    // degrees of freedom, of relative deviation √(2 / length).
    const bias = squaredNorm(sum.map((value) => value / trials)) / (observed / trials);
    expect(Math.abs(bias - 1)).toBeLessThan(3 * Math.sqrt(2 / length));
  });

  it.each([5, 10, 20])(
    "stays with %d clients within the bound on quadratic losses, at every length",
    (clients) => {
      const [rounds, length, largestGradient] = [30, 40, 1];
      const stream = randomStream(keyFromSeed(6));
      const optima = Array.from({ length: clients }, () =>
        Float64Array.from({ length }, () => 2 * stream.normal()),
      );
      const rate = (t: number): number => (t + 2) ** -1.2;
      const train = (members: readonly number[]): { weights: Float32Array[]; updates: Updates } => {
        const weights = [new Float32Array(length)];
        const updates = Array.from({ length: rounds }, (_, t) => {
          const now = weights[t] as Float32Array;
          const round = members.map((u) => {
            const gradient = minus(Float64Array.from(now), optima[u] as Float64Array);
            const clip = Math.min(1, largestGradient / Math.sqrt(squaredNorm(gradient)));
            return Float32Array.from(gradient, (value) => -rate(t) * clip * value);
          });
          weights.push(
            now.map(
              (value, at) => value + round.reduce((sum, h) => sum + (h[at] as number), 0) / members.length,
            ),
          );
          return round;
        });
        return { weights, updates };
      };
      const everyone = Array.from({ length: clients }, (_, u) => u);
      const all = train(everyone);
      const kept = train(everyone.slice(1));
      const { decoded, steps } = throughCodec(all.updates, keyFromSeed(8), "z", 1);
      let drift = 0;
      let codec = 0;
      for (let end = 1; end <= rounds; end++) {
        drift += 2 * largestGradient * rate(end - 1);
        (steps[end - 1] ?? []).forEach((step, u) => {
          const weight = u === 0 ? (clients - 1) ** 2 : 1;
          codec += (weight * length * step * step) / 12 / (clients * (clients - 1)) ** 2;
        });
        const result = unlearned(all.weights[end] as Float32Array, decoded.slice(0, end), 0);
        const distance = Math.sqrt(
          squaredNorm(minus(result, Float64Array.from(kept.weights[end] as Float32Array))),
        );
        expect(distance).toBeLessThanOrEqual(drift + Math.sqrt(codec));
      }
    },
  );

  it("halves its error with each further bit", () => {
    const updates = gaussianUpdates(4, 4, 20_000);
    const final = new Float32Array(20_000);
    const exact = unlearned(final, updates, 0);
    const frame = {
      layout: layoutOf([{ name: "w", shape: [20_000], role: "parameter" }]),
      key: keyFromSeed(3),
    };
    const errors = [2, 3, 4].map((bitsPerParameter) => {
      const decoded = updates.map((round, t) =>
        round.map((update, u) => {
          const identity = { round: t, client: String(u) };
          const options = { quantiser: "z" as const, rate: { bitsPerParameter } };
          const out = new Float32Array(update.length);
          decodeUpdate(encodeUpdate(update, frame, identity, options).record, frame, identity, out);
          return out;
        }),
      );
      return Math.sqrt(squaredNorm(minus(unlearned(final, decoded, 0), exact)));
    }) as [number, number, number];
    expect(Math.abs(errors[0] / errors[1] / 2 - 1)).toBeLessThan(0.1);
    expect(Math.abs(errors[1] / errors[2] / 2 - 1)).toBeLessThan(0.1);
  });
});
