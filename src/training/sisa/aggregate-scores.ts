import { LetheError } from "../../kernel/errors.ts";

/** How the shards' models decide together. */
export type Aggregation = "mean" | "vote";

/**
 * One score per class from the models of all shards.
 *
 * mean: (1/S) Σₛ softmax(logitsₛ) · vote: the share of models whose largest score is the class's (the first of equals).
 *
 * @param logits - of each model [rows, classes]
 * @returns probabilities or shares [rows, classes]
 * @throws LETHE_USAGE_AGGREGATION without models, or for models with different rows
 * Source: Bourtoule et al. (2019), arXiv 1912.03817, sections IV-B and VII.
 */
export function aggregateScores(
  logits: readonly Float32Array[],
  classes: number,
  aggregation: Aggregation,
): Float32Array {
  const [first] = logits;
  if (first === undefined || logits.some(({ length }) => length !== first.length)) {
    throw new LetheError(
      "usage",
      "USAGE_AGGREGATION",
      `Expected scores of the same samples from at least one model, got lengths ${logits.map(({ length }) => length).join(", ") || "none"}.`,
    );
  }
  const scores = new Float32Array(first.length);
  for (const model of logits) {
    for (let row = 0; row < model.length; row += classes) {
      const own = model.subarray(row, row + classes);
      const largest = own.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
      if (aggregation === "vote") add(scores, row + own.indexOf(largest), 1 / logits.length);
      else {
        const sum = own.reduce((total, score) => total + Math.exp(score - largest), 0);
        own.forEach((score, k) => {
          add(scores, row + k, Math.exp(score - largest) / (sum * logits.length));
        });
      }
    }
  }
  return scores;
}

function add(scores: Float32Array, at: number, amount: number): void {
  scores[at] = (scores[at] as number) + amount;
}
