import { z } from "zod";
import { LetheError } from "../kernel/errors.ts";
import { anyScope, defineMetric } from "./contract.ts";
import { logSumExp } from "./log-probabilities.ts";
import { expectAtLeast, expectFinite, expectSameLength, parseMetricSettings } from "./metric-input.ts";
import { mean, sorted } from "./statistics/summary.ts";

const config = z.strictObject({
  /** Share of the tokens, the least likely ones, that are averaged; at least one token. */
  share: z.number().gt(0).max(1).default(0.2),
});

/** Least variance of a token's log probability over the vocabulary, as in the published code: a model that is certain has none. */
const LEAST_VARIANCE = 1e-6;

/**
 * Min-K%: the mean log probability of the least likely tokens of a text. Text from training has fewer surprising tokens.
 *
 * @param logProbabilities - ln p(token | tokens before) [tokens], finite
 * @returns in nats, at most 0; larger means member
 * @throws LETHE_DATA_TOO_FEW, LETHE_NUMERIC_NOT_FINITE, LETHE_USAGE_CONFIG
 * @see W. Shi et al. 2024, arXiv 2310.16789
 */
export function minK(logProbabilities: ArrayLike<number>, settings?: z.input<typeof config>): number {
  const { share } = parseMetricSettings("min-k", config, settings);
  expectAtLeast("min-k", "tokens", logProbabilities.length, 1);
  expectFinite("min-k", "log probabilities", logProbabilities);
  const count = Math.max(1, Math.floor(share * logProbabilities.length));
  return mean(sorted(logProbabilities).subarray(0, count));
}

/**
 * Min-K%++: the same over log probabilities in units of their spread, (ln p(token) − μ)/σ with μ, σ² mean and variance of ln p over
 * the vocabulary under the model: a token is surprising only beside what else could have stood there.
 *
 * @param logits - [tokens, vocabulary], of the token to come at each place
 * @param tokens - [tokens], each in {0, …, vocabulary − 1}
 * @returns larger means member
 * @throws LETHE_DATA_SHAPE, LETHE_DATA_TOO_FEW, LETHE_DATA_LABEL, LETHE_NUMERIC_NOT_FINITE, LETHE_USAGE_CONFIG
 * @see J. Zhang et al. 2024, arXiv 2404.02936
 */
export function minKPlusPlus(
  logits: Float32Array | Float64Array,
  tokens: ArrayLike<number>,
  vocabulary: number,
  settings?: z.input<typeof config>,
): number {
  expectSameLength("min-k", { logits: { length: logits.length / vocabulary }, tokens });
  expectFinite("min-k", "logits", logits);
  const scores = Array.from(tokens, (token, place) => {
    if (!(token >= 0 && token < vocabulary)) {
      throw new LetheError(
        "data",
        "DATA_LABEL",
        `Expected tokens from 0 to ${vocabulary - 1} in metric \`min-k\`, got another at position ${place}.`,
      );
    }
    const start = place * vocabulary;
    const total = logSumExp(logits, start, vocabulary);
    let [centre, square] = [0, 0];
    for (let k = 0; k < vocabulary; k++) {
      const logProbability = (logits[start + k] as number) - total;
      centre += Math.exp(logProbability) * logProbability;
      square += Math.exp(logProbability) * logProbability ** 2;
    }
    const spread = Math.sqrt(Math.max(LEAST_VARIANCE, square - centre ** 2));
    return ((logits[start + token] as number) - total - centre) / spread;
  });
  return minK(scores, settings);
}

/** Min-K%. */
export const minKMetric = defineMetric({
  id: "min-k",
  title: "Min-K% and Min-K%++ membership scores of texts",
  references: ["W. Shi et al. 2024, arXiv 2310.16789", "J. Zhang et al. 2024, arXiv 2404.02936"],
  scope: anyScope,
  needs: ["forget", "holdout", "token-probabilities", "retrained"],
  formula:
    "mean of the lowest 20 % of ln p(token), or of (ln p − μ)/σ for ++; judged by the AUC of forget against held-out texts",
  range: "any number up to 0 a text (any for ++); AUC 0 to 1, ½ is guessing",
  direction: "as retrained",
  cost: "one forward pass",
  guarantee:
    "An AUC away from the retrained model's shows that the texts are still, or now too badly, predicted.",
  doesNotShow:
    "That texts cannot be extracted; forget and held-out texts of different style or date are told apart without any memory.",
  config,
  compute: minK,
});
