import { LetheError } from "../../kernel/errors.ts";
import { expectAtLeast, expectFinite } from "../metric-input.ts";
import { studentCdf } from "./student-t.ts";
import { mean, variance } from "./summary.ts";

/** What the two one-sided tests found. */
export interface Equivalence {
  /** mean(a) − mean(b) */
  readonly difference: number;
  /** Probability of data this favourable when the true difference is at least the margin. */
  readonly p: number;
  readonly isEquivalent: boolean;
}

/**
 * Two one-sided tests: are two means within ± `margin`? A test of difference that finds nothing may only have had too few
 * runs; here too few runs make the claim of likeness fail. Welch's t on both sides, p the larger of the two.
 *
 * @param a - e.g. a metric of unlearned models, one value a seed; at least two
 * @param b - the same of retrained models; at least two
 * @param margin - largest difference that counts as none, above 0, chosen before looking
 * @param level - α in (0, 1)
 * @throws LETHE_DATA_TOO_FEW, LETHE_NUMERIC_NOT_FINITE, LETHE_DATA_RANGE
 * @see D. J. Schuirmann 1987; B. L. Welch 1947
 */
export function equivalenceTest(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  margin: number,
  level = 0.05,
): Equivalence {
  for (const [name, values] of Object.entries({ "first runs": a, "second runs": b })) {
    expectAtLeast("equivalence", name, values.length, 2);
    expectFinite("equivalence", name, values);
  }
  if (!(margin > 0) || !(level > 0 && level < 1)) {
    throw new LetheError(
      "data",
      "DATA_RANGE",
      `Expected an equivalence margin above 0 and a level in (0, 1), got ${margin} and ${level}.`,
    );
  }
  const difference = mean(a) - mean(b);
  const [va, vb] = [variance(a) / a.length, variance(b) / b.length];
  const error = Math.sqrt(va + vb);
  if (error === 0) {
    // Runs that do not vary: the difference is what it is.
    const isEquivalent = Math.abs(difference) < margin;
    return { difference, p: isEquivalent ? 0 : 1, isEquivalent };
  }
  const freedom = (va + vb) ** 2 / (va ** 2 / (a.length - 1) + vb ** 2 / (b.length - 1));
  const p = studentCdf((Math.abs(difference) - margin) / error, freedom);
  return { difference, p, isEquivalent: p < level };
}
