import { LetheError } from "../../kernel/errors.ts";
import { incompleteBeta } from "./incomplete-beta.ts";
import { invertIncreasing } from "./invert-increasing.ts";

/**
 * The exact interval of a share from independent trials: the ends p with P(X ≥ k | p) = α/2 and P(X ≤ k | p) = α/2. It covers at
 * least as often as it says, which a claim of leakage needs; Wilson's interval is shorter and covers so only on average.
 *
 * @param successes - k, from 0 to `trials`
 * @param trials - n, at least 1
 * @param confidence - 1 − α, in (0, 1)
 * @throws LETHE_DATA_RANGE
 * @see C. J. Clopper, E. S. Pearson 1934, The use of confidence or fiducial limits illustrated in the case of the binomial
 */
export function clopperPearson(
  successes: number,
  trials: number,
  confidence = 0.95,
): { readonly low: number; readonly high: number } {
  const isCount = Number.isInteger(successes) && Number.isInteger(trials);
  if (!isCount || trials < 1 || successes < 0 || successes > trials || !(confidence > 0 && confidence < 1)) {
    throw new LetheError(
      "data",
      "DATA_RANGE",
      `Expected 0 to n successes of n ≥ 1 trials and a confidence in (0, 1), got ${successes} of ${trials} at ${confidence}.`,
    );
  }
  const tail = (1 - confidence) / 2;
  const failures = trials - successes;
  const low = (p: number): number => incompleteBeta(p, successes, failures + 1);
  const high = (p: number): number => incompleteBeta(p, successes + 1, failures);
  return {
    low: successes === 0 ? 0 : invertIncreasing(low, tail, 0, 1),
    high: failures === 0 ? 1 : invertIncreasing(high, 1 - tail, 0, 1),
  };
}
