import type { Samples } from "../../data/dataset.ts";
import { predictedClasses } from "../../metrics/predictions.ts";
import type { ScoredSamples } from "../../metrics/scored-samples.ts";
import { mean } from "../../metrics/statistics/summary.ts";
import type { AuditedModels } from "../audit.ts";
import type { OfAudited } from "./of-audited.ts";

/** One class. */
export interface ClassRow extends OfAudited<number> {
  readonly label: number;
  /** Test samples of the class that were looked at. */
  readonly samples: number;
  /** Share of the class's training samples that were forgotten. */
  readonly forgotten: number;
}

/** Test accuracy by class; `retrained` is the mean over references. */
export function classesOf(
  { original, unlearned, retrained, sets }: AuditedModels,
  { train, forget }: { readonly train: Samples; readonly forget: Uint32Array },
): readonly ClassRow[] {
  const byClass = train.positionsByClass();
  const forgotten = train.subset(forget).positionsByClass();
  return sets.test.positionsByClass().flatMap((rows, label) =>
    rows.length === 0
      ? []
      : [
          {
            label,
            samples: rows.length,
            forgotten: (forgotten[label]?.length ?? 0) / Math.max(1, byClass[label]?.length ?? 0),
            original: accuracyOn(original.test, rows),
            unlearned: accuracyOn(unlearned.test, rows),
            retrained: mean(retrained.map(({ test }) => accuracyOn(test, rows))),
          },
        ],
  );
}

/** Share of right answers among some rows. */
export function accuracyOn(
  { logits, labels, classes }: ScoredSamples,
  rows: Uint32Array | readonly number[],
): number {
  const predicted = predictedClasses(logits, classes);
  return mean(Array.from(rows, (row) => Number(predicted[row] === labels[row])));
}
