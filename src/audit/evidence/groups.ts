import type { Samples } from "../../data/dataset.ts";
import { mean } from "../../metrics/statistics/summary.ts";
import type { AuditedModels } from "../audit.ts";
import { accuracyOn } from "./classes.ts";
import type { OfAudited } from "./of-audited.ts";

/** One value of one attribute. */
export interface GroupRow extends OfAudited<number> {
  /** `attribute=value`. */
  readonly group: string;
  /** Test samples of the group that were looked at. */
  readonly samples: number;
  /** Share of the group's training samples that were forgotten. */
  readonly forgotten: number;
}

/** Groups of which fewer samples were looked at are left out: their accuracy is a matter of luck. */
const LEAST_SAMPLES = 10;
/** The largest groups are shown; attributes such as place names have hundreds of values. */
const MOST_GROUPS = 24;

/** Test accuracy by group, the largest first; `retrained` is the mean over references. Empty for data without attributes. */
export function groupsOf(
  { original, unlearned, retrained, sets }: AuditedModels,
  { train, forget }: { readonly train: Samples; readonly forget: Uint32Array },
): readonly GroupRow[] {
  if (sets.test.groupNames.length === 0) return [];
  const trained = countsOf(train, train.labels.keys());
  const gone = countsOf(train, forget);
  const rows = new Map<string, number[]>();
  for (const row of sets.test.labels.keys()) {
    for (const name of namesOf(sets.test, row)) rows.set(name, [...(rows.get(name) ?? []), row]);
  }
  return [...rows]
    .filter(([, members]) => members.length >= LEAST_SAMPLES)
    .sort(([, a], [, b]) => b.length - a.length)
    .slice(0, MOST_GROUPS)
    .map(([group, members]) => ({
      group,
      samples: members.length,
      forgotten: (gone.get(group) ?? 0) / Math.max(1, trained.get(group) ?? 0),
      original: accuracyOn(original.test, members),
      unlearned: accuracyOn(unlearned.test, members),
      retrained: mean(retrained.map(({ test }) => accuracyOn(test, members))),
    }));
}

function countsOf(samples: Samples, positions: Iterable<number>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const position of positions) {
    for (const name of namesOf(samples, position)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

function namesOf(samples: Samples, position: number): readonly string[] {
  return Object.entries(samples.groups(position)).map(([name, value]) => `${name}=${value}`);
}
