import { answersOf } from "../data/answers.ts";
import { IGNORED_LABEL, type Samples } from "../data/dataset.ts";
import { logSumExp } from "./log-probabilities.ts";
import { predictedClasses } from "./predictions.ts";

/** How well a model answers samples: their labels or, of text, the next token at every position that counts. */
export interface AnswerScores {
  /** Answers that count. */
  readonly count: number;
  /** Share of them that is right, in [0, 1]; NaN for none. */
  readonly accuracy: number;
  /** exp of their mean loss −log p(answer), ≥ 1: of text the perplexity a token; NaN for none. */
  readonly perplexity: number;
}

/** 64 MiB: a large vocabulary at every position of many texts would take gigabytes. */
const MOST_SCORES = 2 ** 24;

/**
 * Counts right answers and losses over samples, piece by piece where they are text.
 *
 * @param logitsOf - class scores [count, …positions, classes] of samples
 * @param mostScores - class scores in memory at once, as far as one text allows it
 */
export async function scoreAnswers(
  logitsOf: (samples: Samples) => Promise<Float32Array>,
  samples: Samples,
  classes: number,
  mostScores = MOST_SCORES,
): Promise<AnswerScores> {
  const positions = (samples.targets?.shape ?? []).reduce((product, size) => product * size, 1);
  const rows =
    samples.targets === undefined
      ? samples.count
      : Math.max(1, Math.floor(mostScores / (positions * classes)));
  let [count, hits, loss] = [0, 0, 0];
  for (let from = 0; from < samples.count; from += rows) {
    const length = Math.min(rows, samples.count - from);
    const part =
      length === samples.count
        ? samples
        : samples.subset(Uint32Array.from({ length }, (_, row) => from + row));
    const logits = await logitsOf(part);
    const predicted = predictedClasses(logits, classes);
    for (const [at, answer] of answersOf(part).entries()) {
      if (answer === IGNORED_LABEL) continue;
      count++;
      if (predicted[at] === answer) hits++;
      loss += logSumExp(logits, at * classes, classes) - (logits[at * classes + answer] as number);
    }
  }
  return { count, accuracy: hits / count, perplexity: Math.exp(loss / count) };
}
