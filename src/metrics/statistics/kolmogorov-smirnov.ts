import { expectAtLeast, expectFinite } from "../metric-input.ts";
import { sorted } from "./summary.ts";

/** Pairs of sizes up to which the exact p is computed: a tenth of a second. */
const EXACT_PAIRS = 10_000_000;

/** What the two-sample test found. */
export interface KolmogorovSmirnov {
  /** D = sup |F_a − F_b|, in [0, 1]. */
  readonly statistic: number;
  /** Probability of a D at least as large when both samples come from one law. */
  readonly p: number;
  /** Whether `p` is exact (without ties) or the limit for large samples. */
  readonly method: "exact" | "asymptotic";
}

/**
 * The two-sample Kolmogorov–Smirnov test, two-sided. Exact by counting lattice paths that leave the band |i/n − j/m| < D;
 * asymptotic by Kolmogorov's series 2 Σ_k (−1)^(k−1) exp(−2k²λ²), λ = D√(nm/(n + m)). With ties the exact p is too large:
 * the test is then conservative.
 *
 * @param a - [n], at least one
 * @param b - [m], at least one
 * @param method - left out: exact up to n·m = 10⁷
 * @throws LETHE_DATA_TOO_FEW, LETHE_NUMERIC_NOT_FINITE
 */
export function kolmogorovSmirnov(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  method: "exact" | "asymptotic" = a.length * b.length <= EXACT_PAIRS ? "exact" : "asymptotic",
): KolmogorovSmirnov {
  for (const [name, values] of Object.entries({ "first sample": a, "second sample": b })) {
    expectAtLeast("kolmogorov-smirnov", name, values.length, 1);
    expectFinite("kolmogorov-smirnov", name, values);
  }
  const [n, m] = [a.length, b.length];
  const distance = largestDistance(sorted(a), sorted(b));
  const statistic = distance / (n * m);
  const p =
    method === "exact"
      ? outsideProbability(distance, n, m)
      : kolmogorovTail(statistic * Math.sqrt((n * m) / (n + m)));
  return { statistic, p, method };
}

/** max |i·m − j·n| over the values, a whole number: D without its rounding. */
function largestDistance(a: Float64Array, b: Float64Array): number {
  let [i, j, largest] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const value = Math.min(a[i] as number, b[j] as number);
    while (i < a.length && a[i] === value) i++;
    while (j < b.length && b[j] === value) j++;
    largest = Math.max(largest, Math.abs(i * b.length - j * a.length));
  }
  return largest;
}

/** Share of the orders of n + m values whose path reaches |i·m − j·n| ≥ distance. */
function outsideProbability(distance: number, n: number, m: number): number {
  const reached = new Float64Array(m + 1);
  for (let i = 0; i <= n; i++) {
    for (let j = 0; j <= m; j++) {
      if (Math.abs(i * m - j * n) >= distance) reached[j] = 1;
      else if (i + j > 0) {
        const fromLeft = i > 0 ? (i / (i + j)) * (reached[j] as number) : 0;
        const fromBelow = j > 0 ? (j / (i + j)) * (reached[j - 1] as number) : 0;
        reached[j] = fromLeft + fromBelow;
      }
    }
  }
  return reached[m] as number;
}

/** P(sup |Brownian bridge| ≥ λ). */
function kolmogorovTail(lambda: number): number {
  // Below 0.2 the probability is 1 to double precision, while the series would need ever more terms.
  if (lambda < 0.2) return 1;
  let sum = 0;
  for (let k = 1; ; k++) {
    const term = Math.exp(-2 * (k * lambda) ** 2);
    sum += k % 2 === 1 ? term : -term;
    if (term <= Number.EPSILON * sum) break;
  }
  return Math.min(1, 2 * sum);
}
