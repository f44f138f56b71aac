/** Lanczos' coefficients for g = 7 and nine terms (P. Godfrey 2001): about 15 digits for arguments from ½ on. */
const LEADING = 0.99999999999980993;
const LANCZOS: readonly number[] = [
  676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];
const G = 7;

/**
 * ln Γ(x).
 *
 * @param x - above 0
 */
export function logGamma(x: number): number {
  // Reflection: the approximation holds from ½ on.
  if (x < 1 / 2) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const shifted = x - 1;
  const sum = LANCZOS.reduce((total, coefficient, k) => total + coefficient / (shifted + k + 1), LEADING);
  const t = shifted + G + 1 / 2;
  return Math.log(2 * Math.PI) / 2 + (shifted + 1 / 2) * Math.log(t) - t + Math.log(sum);
}
