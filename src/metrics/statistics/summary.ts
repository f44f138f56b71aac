/** The arithmetic mean; NaN for no values. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index] as number;
  return sum / values.length;
}

/**
 * The unbiased variance Σ(x − x̄)² / (n − 1).
 *
 * @param values - at least two
 */
export function variance(values: ArrayLike<number>): number {
  return squaredDeviations(values) / (values.length - 1);
}

/** Σ(x − x̄)². */
export function squaredDeviations(values: ArrayLike<number>): number {
  const centre = mean(values);
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += ((values[index] as number) - centre) ** 2;
  return sum;
}

/**
 * The quantile at `share`, linear between order statistics (Hyndman & Fan 1996, type 7: the default of NumPy and R).
 *
 * @param values - at least one, in any order
 * @param share - in [0, 1]
 */
export function quantile(values: ArrayLike<number>, share: number): number {
  return quantileOfSorted(sorted(values), share);
}

/** As {@link quantile}, of values already in ascending order. */
export function quantileOfSorted(ascending: Float64Array, share: number): number {
  const position = share * (ascending.length - 1);
  const below = Math.floor(position);
  const low = ascending[below] as number;
  const high = ascending[Math.min(below + 1, ascending.length - 1)] as number;
  return low + (high - low) * (position - below);
}

/** The middle value, or the mean of the middle two. */
export function median(values: ArrayLike<number>): number {
  return quantile(values, 1 / 2);
}

/** A copy in ascending order. */
export function sorted(values: ArrayLike<number>): Float64Array {
  return Float64Array.from(values).sort();
}
