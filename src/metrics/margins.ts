import { logSumExp } from "./log-probabilities.ts";
import { expectScored, type ScoredSamples } from "./scored-samples.ts";

/** Margins of several models: [models][samples]. */
export type MarginTable = readonly Float64Array[];

/**
 * The margin of every sample, m = z_y − log Σ_{c≠y} exp z_c = ln(p_y / (1 − p_y)): the logit of the true class's
 * probability, nearly Gaussian over retrainings, which the likelihood-ratio attacks and KLoM rest on.
 *
 * @param samples - scores with their labels
 * @returns [count], in nats; finite for finite scores, since no probability is formed on the way
 * @throws what {@link expectScored} throws
 * @see N. Carlini et al. 2022, arXiv 2112.03570 (§ V-B); K. Georgiev et al. 2024, arXiv 2410.23232.
 */
export function margins(samples: ScoredSamples): Float64Array {
  expectScored("margin", "samples", samples);
  const { logits, labels, classes } = samples;
  return Float64Array.from(labels, (label, row) => {
    const start = row * classes;
    return (logits[start + label] as number) - logSumExp(logits, start, classes, label);
  });
}
