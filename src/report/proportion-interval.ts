/**
 * The 95 % interval of a share measured on `count` independent trials, by Wilson's score:
 * `(p + z²/2n ± z·√(p(1 − p)/n + z²/4n²)) / (1 + z²/n)`, z = 1.96.
 *
 * @param share p, in [0, 1].
 * @param count n, at least 1.
 * @returns The two ends, in [0, 1].
 * @see E. B. Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22.
 */
export function wilsonInterval(
  share: number,
  count: number,
): { readonly low: number; readonly high: number } {
  const z = 1.959964; // the 97.5 % point of the normal distribution
  const scale = 1 / (1 + z ** 2 / count);
  const centre = scale * (share + z ** 2 / (2 * count));
  const half = scale * z * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2));
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}
