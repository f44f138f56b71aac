import type { Samples } from "../data/dataset.ts";
import { margins } from "../metrics/margins.ts";
import { predictedClasses } from "../metrics/predictions.ts";
import type { ScoredSamples } from "../metrics/scored-samples.ts";
import { areaUnder, logarithmicPoints, rocCurve } from "../metrics/statistics/roc.ts";
import { mean, quantile } from "../metrics/statistics/summary.ts";
import type { AuditedModels } from "./audit.ts";
import { excessMargins } from "./measures/membership-measures.ts";
import type { ScoredModel } from "./scored-model.ts";

/** One thing for each kind of model that is drawn. */
export interface OfAudited<Value> {
  readonly original: Value;
  readonly unlearned: Value;
  readonly retrained: Value;
}

/** What an audit's plots are drawn from. No sample can be told from it. */
export interface AuditEvidence {
  /** The calibrated membership attack on forgotten against unseen samples of their classes; `retrained` is one reference, judged by the others. */
  readonly roc: OfAudited<RocLine>;
  /** How the margins of the forgotten samples are spread, in shares of `edges.length − 1` bins; `retrained` is the mean over references. */
  readonly margins: OfAudited<readonly number[]> & { readonly edges: readonly number[] };
  /** Test accuracy by class; `retrained` is the mean over references. */
  readonly classes: readonly ClassRow[];
}

/** A curve for two logarithmic axes. */
export interface RocLine {
  readonly auc: number;
  readonly points: readonly (readonly [falsePositiveRate: number, truePositiveRate: number])[];
  /** Half of the least rate that could be measured; smaller ones are drawn there. */
  readonly floor: number;
}

/** One class. */
export interface ClassRow extends OfAudited<number> {
  readonly label: number;
  /** Test samples of the class that were looked at. */
  readonly samples: number;
  /** Share of the class's training samples that were forgotten. */
  readonly forgotten: number;
}

/** Bins of a histogram: as many as a phone's column can show. */
const BINS = 24;

/** The material of an audit's plots; no curve where no unseen sample is of a forgotten class. */
export function evidenceOf(
  models: AuditedModels,
  data: { readonly train: Samples; readonly forget: Uint32Array },
): AuditEvidence {
  return { roc: rocOf(models), margins: marginsOf(models), classes: classesOf(models, data) };
}

function rocOf({ original, unlearned, retrained }: AuditedModels): AuditEvidence["roc"] {
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

function marginsOf({ original, unlearned, retrained }: AuditedModels): AuditEvidence["margins"] {
  const tables = [original, unlearned, ...retrained].map(({ forget }) => margins(forget));
  const pooled = tables.flatMap((table) => [...table]);
  // A few ruined samples must not squeeze all others into one bin.
  const [low, high] = [quantile(pooled, 0.005), quantile(pooled, 0.995)];
  const width = (high > low ? high - low : 1) / BINS;
  const shares = (table: Float64Array): readonly number[] => {
    const counts = new Array<number>(BINS).fill(0);
    for (const margin of table) {
      const bin = Math.min(BINS - 1, Math.max(0, Math.floor((margin - low) / width)));
      counts[bin] = (counts[bin] as number) + 1;
    }
    return counts.map((count) => count / table.length);
  };
  const [ofOriginal, ofUnlearned, ...ofRetrained] = tables.map(shares) as [number[], number[], ...number[][]];
  return {
    edges: Array.from({ length: BINS + 1 }, (_, bin) => low + bin * width),
    original: ofOriginal,
    unlearned: ofUnlearned,
    retrained: ofOriginal.map((_, bin) => mean(ofRetrained.map((table) => table[bin] as number))),
  };
}

function classesOf(
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

function accuracyOn({ logits, labels, classes }: ScoredSamples, rows: Uint32Array): number {
  const predicted = predictedClasses(logits, classes);
  return mean(rows.map((row) => Number(predicted[row] === labels[row])));
}
