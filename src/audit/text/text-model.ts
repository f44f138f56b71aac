import { IGNORED_LABEL, type Samples } from "../../data/dataset.ts";
import { type Digest, digestArrays } from "../../kernel/digest.ts";
import { LetheError } from "../../kernel/errors.ts";
import { sizeOf } from "../../kernel/layout.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import { logSumExp } from "../../metrics/log-probabilities.ts";
import { mean } from "../../metrics/statistics/summary.ts";
import { minK } from "../../metrics/token-membership.ts";
import type { Architecture } from "../../models/architecture.ts";
import type { RuntimeOptions } from "../../runtime/program.ts";
import { createPredictor } from "../../training/predictor.ts";
import type { AuditSets } from "../scored-model.ts";

/** What a language model makes of some texts. */
export interface TextScores {
  /** Mean of −ln p(token | tokens before) of each text [texts], nats a token. */
  readonly losses: Float64Array;
  /** Min-K% of each text [texts]: the mean log probability of its fifth of least likely tokens. */
  readonly minK: Float64Array;
}

/** What one language model makes of each set. */
export interface TextModel extends Readonly<Record<keyof AuditSets, TextScores>> {
  readonly digest: Digest;
}

/** Scores language models one after the other on the same texts. */
export interface TextScorer extends AsyncDisposable {
  /** @throws LETHE_NUMERIC_NOT_FINITE for scores that are no numbers */
  score(weights: ParameterSet): Promise<TextModel>;
}

/** Texts scored at a time: scores of every word at every position are large. */
const BATCH = 16;

/** Compiles what an audit needs of a language model: the probability of every token that comes. */
export async function createTextScorer(
  architecture: Architecture,
  sets: AuditSets,
  runtime: RuntimeOptions,
): Promise<TextScorer> {
  const predictor = await createPredictor(architecture, runtime);
  const { classes } = architecture;
  const positions = sizeOf(architecture.labelShape);
  const scoresOf = async (weights: ParameterSet, samples: Samples): Promise<TextScores> => {
    const losses = new Float64Array(samples.count);
    const least = new Float64Array(samples.count);
    const targets = new BigInt64Array(BATCH * positions);
    for (let from = 0; from < samples.count; from += BATCH) {
      const part = samples.subset(
        Array.from({ length: Math.min(BATCH, samples.count - from) }, (_, row) => from + row),
      );
      const logits = await predictor.logitsOf(weights, part);
      part.targets?.gather([...part.labels.keys()], targets);
      for (let row = 0; row < part.count; row++) {
        const logProbabilities: number[] = [];
        for (let position = row * positions; position < (row + 1) * positions; position++) {
          const token = Number(targets[position]);
          if (token === IGNORED_LABEL) continue;
          const start = position * classes;
          logProbabilities.push((logits[start + token] as number) - logSumExp(logits, start, classes));
        }
        losses[from + row] = -mean(logProbabilities);
        if (!Number.isFinite(losses[from + row])) throw notFinite();
        least[from + row] = minK(logProbabilities);
      }
    }
    return { losses, minK: least };
  };
  return {
    async score(weights) {
      return {
        digest: digestArrays(weights),
        forget: await scoresOf(weights, sets.forget),
        retain: await scoresOf(weights, sets.retain),
        unseen: await scoresOf(weights, sets.unseen),
        test: await scoresOf(weights, sets.test),
      };
    },
    [Symbol.asyncDispose]: () => predictor[Symbol.asyncDispose](),
  };
}

function notFinite(): LetheError {
  return new LetheError(
    "numeric",
    "NUMERIC_NOT_FINITE",
    "Expected finite scores of every text, got some that are NaN or infinite, or a text without a token. The model has diverged, or its input holds such values.",
  );
}
