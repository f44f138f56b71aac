import { logSumExp } from "../log-probabilities.ts";
import { predictedClasses } from "../predictions.ts";
import type { ScoredSamples } from "../scored-samples.ts";

/**
 * What an attacker may look at, by name; each function gives [count, width] numbers.
 *
 * `correctness` 1 where the prediction is right · `confidence` p_y · `entropy` −Σ_i p_i ln p_i · `modified-entropy`
 * −(1 − p_y) ln p_y − Σ_{i≠y} p_i ln(1 − p_i) · `probability` all p_i · `historical-modified-entropy` what the
 * sparse-unlearning repositories computed until 2026 under the name m_entropy: −Σ_{i∈L}(1 − p_i) ln p_i − Σ_{i∉L} p_i ln p_i, L the
 * labels that occur among the samples judged together. It does not depend on a sample's own label; it is here to compare with
 * printed figures only.
 *
 * @see L. Song, P. Mittal 2021, arXiv 2003.10595 (modified entropy, eq. 10); J. Jia et al. 2023, arXiv 2304.04934 (the five).
 */
export const membershipFeatures = {
  correctness: ({ logits, labels, classes }) => {
    const predicted = predictedClasses(logits, classes);
    return Float64Array.from(labels, (label, row) => Number(predicted[row] === label));
  },
  confidence: (samples) => perSample(samples, ({ logOf }, label) => Math.exp(logOf(label))),
  entropy: (samples) =>
    perSample(samples, ({ logOf }, _, classes) => -sumOver(classes, (k) => weighted(logOf(k), logOf(k)))),
  "modified-entropy": (samples) =>
    perSample(
      samples,
      ({ logOf, logOfRest }, label, classes) =>
        -sumOver(classes, (k) =>
          k === label ? weighted(logOfRest(k), logOf(k)) : weighted(logOf(k), logOfRest(k)),
        ),
    ),
  "historical-modified-entropy": (samples) => {
    const present = new Set(samples.labels);
    return perSample(
      samples,
      ({ logOf, logOfRest }, _, classes) =>
        -sumOver(classes, (k) => weighted(present.has(k) ? logOfRest(k) : logOf(k), logOf(k))),
    );
  },
  probability: ({ logits, labels, classes }) => {
    const out = new Float64Array(logits.length);
    for (let row = 0; row < labels.length; row++) {
      const { logOf } = rowOf(logits, row, classes);
      for (let k = 0; k < classes; k++) out[row * classes + k] = Math.exp(logOf(k));
    }
    return out;
  },
} as const satisfies Readonly<Record<string, (samples: ScoredSamples) => Float64Array>>;

/** The name of a feature. */
export type MembershipFeature = keyof typeof membershipFeatures;

/** ln p_k and ln(1 − p_k) of a row; the latter from the other classes' scores, so that it is exact where p_k rounds to 1. */
interface RowProbabilities {
  logOf(k: number): number;
  logOfRest(k: number): number;
}

function rowOf(logits: Float32Array, row: number, classes: number): RowProbabilities {
  const start = row * classes;
  const total = logSumExp(logits, start, classes);
  return {
    logOf: (k) => (logits[start + k] as number) - total,
    logOfRest: (k) => Math.min(0, logSumExp(logits, start, classes, k) - total),
  };
}

function perSample(
  { logits, labels, classes }: ScoredSamples,
  value: (row: RowProbabilities, label: number, classes: number) => number,
): Float64Array {
  return Float64Array.from(labels, (label, row) => value(rowOf(logits, row, classes), label, classes));
}

/** p · x for p given by its logarithm; 0 where p has vanished. */
function weighted(logProbability: number, value: number): number {
  const probability = Math.exp(logProbability);
  return probability === 0 ? 0 : probability * value;
}

function sumOver(count: number, term: (k: number) => number): number {
  let sum = 0;
  for (let k = 0; k < count; k++) sum += term(k);
  return sum;
}
