import { margins } from "../../metrics/margins.ts";
import { mean, quantile, variance } from "../../metrics/statistics/summary.ts";
import type { AuditedModels } from "../audit.ts";
import type { AuditSets, ScoredModel } from "../scored-model.ts";
import { type OfAudited, ofAudited } from "./of-audited.ts";

/** Sample by sample: how certain a model is beside how certain retrained models are. */
export interface SampleScatter {
  /** Standard deviation of one sample's margin between retrained models, pooled over the forgotten samples; nats. */
  readonly spread: number;
  /** Forgotten samples, at most a few hundred. */
  readonly points: readonly ScatterPoint[];
  /** Distances from the mean of the retrained models, in spreads of the set, of each set of samples. */
  readonly distances: readonly (OfAudited<DistanceSummary> & { readonly set: keyof AuditSets })[];
}

/** One sample's margins, nats. */
export interface ScatterPoint {
  /** Mean over the retrained models. */
  readonly retrained: number;
  readonly original: number;
  readonly unlearned: number;
}

/** Of |margin − mean of retrained models| over samples. */
export interface DistanceSummary {
  readonly mean: number;
  readonly p95: number;
}

/** More dots would hide each other and make the page heavy. */
const MOST_POINTS = 250;

/**
 * The margin of single samples against the mean of the retrained models: what KLoM compares as distributions over many unlearned models, for
 * one of them. A reference is judged by the others.
 */
export function sampleScatter({ original, unlearned, retrained }: AuditedModels): SampleScatter {
  const tables = retrained.map(({ forget }) => margins(forget));
  const own = { original: margins(original.forget), unlearned: margins(unlearned.forget) };
  const points = Array.from(own.unlearned.subarray(0, MOST_POINTS), (margin, row) => ({
    retrained: mean(tables.map((table) => table[row] as number)),
    original: own.original[row] as number,
    unlearned: margin,
  }));
  const [one, ...others] = retrained as [ScoredModel, ...ScoredModel[]];
  return {
    spread: spreadOf(tables),
    points,
    distances: (["forget", "retain", "test"] as const).map((set) => ({
      set,
      ...ofAudited((id) => distanceOf({ original, unlearned, retrained: one }[id], others, set)),
    })),
  };
}

function distanceOf(
  model: ScoredModel,
  references: readonly ScoredModel[],
  set: keyof AuditSets,
): DistanceSummary {
  const tables = references.map((reference) => margins(reference[set]));
  const spread = Math.max(spreadOf(tables), Number.MIN_VALUE);
  const values = margins(model[set]).map((margin, row) => {
    const difference = Math.abs(margin - mean(tables.map((table) => table[row] as number)));
    return difference === 0 ? 0 : difference / spread;
  });
  return { mean: mean(values), p95: quantile(values, 0.95) };
}

function spreadOf(tables: readonly Float64Array[]): number {
  const variances = Array.from(tables[0] ?? [], (_, row) =>
    variance(tables.map((table) => table[row] as number)),
  );
  return Math.sqrt(mean(variances));
}
