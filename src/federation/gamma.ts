import type { RandomStream } from "../kernel/key.ts";

/**
 * Draws log G with G ~ Gamma(shape, 1). The logarithm, because for a small shape most draws are below the smallest
 * positive double.
 *
 * Shape ≥ 1: rejection from a cubed normal, d = shape − 1/3, c = 1/√(9d), G = d·(1 + c·x)³. Shape < 1:
 * log G(shape) = log G(shape + 1) + log(U)/shape.
 *
 * @param shape - > 0
 * Source: G. Marsaglia, W. W. Tsang, "A simple method for generating gamma variables" (2000).
 */
export function logGamma(shape: number, stream: RandomStream): number {
  if (shape < 1) return logGamma(shape + 1, stream) + Math.log(positiveUniform(stream)) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = stream.normal();
    const cubed = (1 + c * x) ** 3;
    if (cubed <= 0) continue;
    if (Math.log(positiveUniform(stream)) < x * x * 0.5 + d * (1 - cubed + Math.log(cubed))) {
      return Math.log(d * cubed);
    }
  }
}

/**
 * Draws a point of the symmetric Dirichlet distribution: `length` shares ≥ 0 that sum to 1. A small `alpha` gives one
 * class nearly everything, a large one equal shares.
 *
 * @param alpha - concentration, > 0
 */
export function dirichlet(alpha: number, length: number, stream: RandomStream): Float64Array {
  const logs = Float64Array.from({ length }, () => logGamma(alpha, stream));
  const largest = logs.reduce((max, value) => Math.max(max, value), Number.NEGATIVE_INFINITY);
  const weights = logs.map((value) => Math.exp(value - largest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Uniform on (0, 1], whose logarithm is finite. */
function positiveUniform(stream: RandomStream): number {
  return 1 - stream.uniform();
}
