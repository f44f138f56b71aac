import { margins } from "../../metrics/margins.ts";
import { mean, quantile } from "../../metrics/statistics/summary.ts";
import type { AuditedModels } from "../audit.ts";
import type { OfAudited } from "./of-audited.ts";

/** Shares of samples in the bins between `edges`. */
export interface MarginHistograms extends OfAudited<readonly number[]> {
  readonly edges: readonly number[];
}

/** Bins of a histogram: as many as a phone's column can show. */
const BINS = 24;

/** How the margins of the forgotten samples are spread; `retrained` is the mean over references. */
export function marginsOf({ original, unlearned, retrained }: AuditedModels): MarginHistograms {
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
