import { describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../kernel/key.ts";
import { dirichlet, logGamma } from "./gamma.ts";

describe("logGamma", () => {
  it.each([0.05, 0.3, 1, 2.5, 40])("has mean and variance %d", (shape) => {
    const stream = randomStream(keyFromSeed(`gamma ${shape}`));
    const count = 40_000;
    const draws = Array.from({ length: count }, () => Math.exp(logGamma(shape, stream)));
    const mean = draws.reduce((sum, draw) => sum + draw, 0) / count;
    const variance = draws.reduce((sum, draw) => sum + (draw - mean) ** 2, 0) / (count - 1);
    // Five standard errors: the fourth central moment of Gamma(a, 1) is 3a² + 6a.
    expect(Math.abs(mean - shape)).toBeLessThan(5 * Math.sqrt(shape / count));
    expect(Math.abs(variance - shape)).toBeLessThan(5 * Math.sqrt((2 * shape ** 2 + 6 * shape) / count));
  });

  it("has the distribution function of the exponential at shape 1", () => {
    const stream = randomStream(keyFromSeed("exponential"));
    const count = 20_000;
    const draws = Array.from({ length: count }, () => Math.exp(logGamma(1, stream))).sort((a, b) => a - b);
    const distance = Math.max(
      ...draws.map((draw, rank) => Math.abs(1 - Math.exp(-draw) - (rank + 0.5) / count)),
    );
    // Kolmogorov–Smirnov: P(√n · D > 2.2) < 1e-4.
    expect(distance * Math.sqrt(count)).toBeLessThan(2.2);
  });
});

describe("dirichlet", () => {
  it.each([0.01, 0.3, 5])("draws shares with the moments of Dirichlet(%d, …)", (alpha) => {
    const stream = randomStream(keyFromSeed(`dirichlet ${alpha}`));
    const length = 10;
    const count = 4_000;
    const mixes = Array.from({ length: count }, () => dirichlet(alpha, length, stream));
    for (const mix of mixes) {
      expect(mix.every((share) => share >= 0)).toBe(true);
      expect(mix.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    }
    // E Σ p² = (alpha + 1) / (length · alpha + 1)
    const concentration =
      mixes.reduce((sum, mix) => sum + mix.reduce((inner, share) => inner + share ** 2, 0), 0) / count;
    expect(concentration).toBeCloseTo((alpha + 1) / (length * alpha + 1), 1);
    const first = mixes.reduce((sum, mix) => sum + (mix[0] as number), 0) / count;
    expect(Math.abs(first - 1 / length)).toBeLessThan(5 * Math.sqrt(0.09 / count));
  });

  it("gives finite shares at a concentration whose gamma draws all underflow", () => {
    const mix = dirichlet(1e-6, 5, randomStream(keyFromSeed(1)));
    expect(Math.max(...mix)).toBeCloseTo(1, 9);
  });
});
