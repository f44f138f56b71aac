import { sorted } from "./summary.ts";

/**
 * P(a < b) + ½P(a = b) for a and b drawn from two samples: the area under the curve of a test that calls small values a's
 * (Mann–Whitney's U over the number of pairs).
 *
 * @param a - [n], at least one
 * @param b - [m], at least one
 * @returns in [0, 1]; ½ when the two cannot be told apart by order. O((n + m) log m)
 */
export function rankProbability(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const ascending = sorted(b);
  let sum = 0;
  for (let index = 0; index < a.length; index++) {
    const value = a[index] as number;
    const below = countBelow(ascending, value);
    const upTo = countBelow(ascending, value, true);
    sum += ascending.length - upTo + (upTo - below) / 2;
  }
  return sum / (a.length * b.length);
}

/** How many of the ascending values are smaller than `value`, or no larger with `inclusive`. */
export function countBelow(ascending: ArrayLike<number>, value: number, inclusive = false): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = ascending[middle] as number;
    if (item < value || (inclusive && item === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}
