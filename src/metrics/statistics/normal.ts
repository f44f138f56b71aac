import { invertIncreasing } from "./invert-increasing.ts";

/** Beyond this the series cancels, and the continued fraction needs few terms. */
const TAIL = 3;
/** Terms of the tail's fraction: at 3 deviations forty give double precision. */
const TAIL_TERMS = 60;
/** Φ(−39) is below the least positive number. */
const EDGE = 39;

/**
 * Φ(x), the standard normal distribution function, with full relative precision in the lower tail: the series
 * ½ + φ(x)·(x + x³/3 + x⁵/15 + …) near 0, Laplace's continued fraction beyond.
 *
 * @returns in [0, 1]
 */
export function normalCdf(x: number): number {
  const density = Math.exp(-(x * x) / 2) / Math.sqrt(2 * Math.PI);
  if (Math.abs(x) > TAIL) {
    let fraction = Math.abs(x);
    for (let term = TAIL_TERMS; term > 0; term--) fraction = Math.abs(x) + term / fraction;
    const tail = density / fraction;
    return x < 0 ? tail : 1 - tail;
  }
  let term = x;
  let sum = x;
  for (let k = 3; Math.abs(term) > Number.EPSILON * Math.abs(sum); k += 2) {
    term *= (x * x) / k;
    sum += term;
  }
  return 1 / 2 + density * sum;
}

/**
 * Φ⁻¹(p).
 *
 * @param probability - in (0, 1)
 */
export function normalQuantile(probability: number): number {
  // The lower half keeps its relative precision.
  if (probability > 1 / 2) return -normalQuantile(1 - probability);
  return invertIncreasing(normalCdf, probability, -EDGE, 0);
}
