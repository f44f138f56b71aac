import { areaUnder, logarithmicPoints, rocCurve } from "../../metrics/statistics/roc.ts";
import type { AuditedModels } from "../audit.ts";
import { excessMargins } from "../measures/membership-measures.ts";
import type { ScoredModel } from "../scored-model.ts";
import type { OfAudited } from "./of-audited.ts";

/** A curve for two logarithmic axes. */
export interface RocLine {
  readonly auc: number;
  readonly points: readonly (readonly [falsePositiveRate: number, truePositiveRate: number])[];
  /** Half of the least rate that could be measured; smaller ones are drawn there. */
  readonly floor: number;
}

/** The calibrated membership attack on forgotten against unseen samples of their classes; `retrained` is one reference, judged by the others. */
export function rocOf({ original, unlearned, retrained }: AuditedModels): OfAudited<RocLine> {
  const line = (model: ScoredModel, references: readonly ScoredModel[]): RocLine => {
    const forget = excessMargins(model, references, "forget");
    const unseen = excessMargins(model, references, "unseen");
    const classes = new Set(forget.labels);
    const comparable = unseen.scores.filter((_, row) => classes.has(unseen.labels[row] as number));
    const floor = 1 / (2 * Math.max(1, comparable.length));
    if (comparable.length === 0) return { auc: Number.NaN, points: [], floor };
    const curve = rocCurve(
      [...forget.scores, ...comparable],
      [...forget.scores.map(() => 1), ...comparable.map(() => 0)].map(Boolean),
    );
    return { auc: areaUnder(curve), points: logarithmicPoints(curve, floor), floor };
  };
  const [one, ...others] = retrained as [ScoredModel, ...ScoredModel[]];
  return {
    original: line(original, others),
    unlearned: line(unlearned, others),
    retrained: line(one, others),
  };
}
