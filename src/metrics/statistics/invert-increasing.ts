/**
 * The place where an increasing function reaches a value, by bisection to the last bit.
 *
 * @param low - where the function is at most `value`
 * @param high - where it is at least `value`
 */
export function invertIncreasing(f: (x: number) => number, value: number, low: number, high: number): number {
  for (;;) {
    const middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) return middle;
    if (f(middle) < value) low = middle;
    else high = middle;
  }
}
