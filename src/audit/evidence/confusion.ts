import { confusionMatrix } from "../../metrics/accuracy.ts";
import { predictedClasses } from "../../metrics/predictions.ts";
import type { AuditedModels } from "../audit.ts";
import type { ScoredModel } from "../scored-model.ts";
import type { OfAudited } from "./of-audited.ts";

/** Confusion matrices of test samples. */
export interface ConfusionEvidence {
  /** Labels of the rows and columns, ascending. */
  readonly labels: readonly number[];
  /** Counts [true class, answer]; those of all references together for `retrained`. */
  readonly matrices: OfAudited<readonly (readonly number[])[]>;
}

/** Classes a reader can take in at once, and a page's width can hold. */
const MOST_CLASSES = 20;

/** Who is taken for whom on test samples; of many classes those that are confused most by any model. */
export function confusionOf({ original, unlearned, retrained }: AuditedModels): ConfusionEvidence {
  const countsOf = ({ test: { logits, labels, classes } }: ScoredModel): number[][] =>
    confusionMatrix(predictedClasses(logits, classes), labels, classes);
  const all = {
    original: countsOf(original),
    unlearned: countsOf(unlearned),
    retrained: retrained.map(countsOf).reduce(sum),
  };
  const present = all.original.flatMap((row, label) => (row.some((count) => count > 0) ? [label] : []));
  const mixed = (label: number): number =>
    Object.values(all).reduce((most, matrix) => Math.max(most, errorsOf(matrix, label)), 0);
  const labels = present
    .sort((a, b) => mixed(b) - mixed(a))
    .slice(0, MOST_CLASSES)
    .sort((a, b) => a - b);
  const cut = (matrix: number[][]): readonly (readonly number[])[] =>
    labels.map((row) => labels.map((column) => matrix[row]?.[column] ?? 0));
  return {
    labels,
    matrices: {
      original: cut(all.original),
      unlearned: cut(all.unlearned),
      retrained: cut(all.retrained),
    },
  };
}

function sum(a: number[][], b: number[][]): number[][] {
  return a.map((row, at) => row.map((count, column) => count + (b[at]?.[column] ?? 0)));
}

/** Samples of a class that were given another. */
function errorsOf(matrix: number[][], label: number): number {
  const row = matrix[label] ?? [];
  return row.reduce((total, count) => total + count, 0) - (row[label] ?? 0);
}
