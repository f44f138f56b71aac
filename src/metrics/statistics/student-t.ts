import { incompleteBeta } from "./incomplete-beta.ts";
import { invertIncreasing } from "./invert-increasing.ts";
import { logGamma } from "./log-gamma.ts";

/**
 * The distribution function of Student's t.
 *
 * @param freedom - degrees of freedom ν above 0, need not be whole
 * @returns in [0, 1]
 */
export function studentCdf(t: number, freedom: number): number {
  const tail = incompleteBeta(freedom / (freedom + t * t), freedom / 2, 1 / 2) / 2;
  return t < 0 ? tail : 1 - tail;
}

/** The log density of Student's t: ln Γ((ν+1)/2) − ln Γ(ν/2) − ½ ln(νπ) − (ν+1)/2 · ln(1 + t²/ν). */
export function studentLogDensity(t: number, freedom: number): number {
  return (
    logGamma((freedom + 1) / 2) -
    logGamma(freedom / 2) -
    Math.log(freedom * Math.PI) / 2 -
    ((freedom + 1) / 2) * Math.log1p((t * t) / freedom)
  );
}

/** Beyond this the distribution with one degree of freedom has less than 10⁻⁹ left. */
const FAR = 1e9;

/**
 * t with P(T ≤ t) = probability.
 *
 * @param probability - in [½, 1)
 */
export function studentQuantile(probability: number, freedom: number): number {
  return invertIncreasing((t) => studentCdf(t, freedom), probability, 0, FAR);
}
