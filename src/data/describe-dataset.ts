import type { Dataset, Samples } from "./dataset.ts";

/** How many samples carry a name. */
export interface NameCount {
  readonly name: string;
  readonly count: number;
}

/** What a dataset's samples can be asked for by class, subject and group. */
export interface DatasetSummary {
  readonly id: string;
  readonly title: string;
  readonly licence: string;
  readonly featureShape: readonly number[];
  readonly counts: { readonly train: number; readonly test: number };
  /** Of the training part, as are all counts below. */
  readonly classes: readonly NameCount[];
  /** Most frequent first. */
  readonly subjects: readonly NameCount[];
  /** By attribute; most frequent first. */
  readonly groups: Readonly<Record<string, readonly NameCount[]>>;
}

/** Counts the training samples of every class, subject and group. */
export function describeDataset({
  id,
  title,
  licence,
  featureShape,
  classNames,
  train,
  test,
}: Dataset): DatasetSummary {
  const byClass = train.positionsByClass();
  return {
    id,
    title,
    licence,
    featureShape,
    counts: { train: train.count, test: test.count },
    classes: classNames.map((name, label) => ({ name, count: byClass[label]?.length ?? 0 })),
    subjects: countNames(train, (position) => train.subject(position)),
    groups: Object.fromEntries(
      train.groupNames.map((name) => [name, countNames(train, (position) => train.groups(position)[name])]),
    ),
  };
}

function countNames(
  samples: Samples,
  nameOf: (position: number) => string | undefined,
): readonly NameCount[] {
  const counts = new Map<string, number>();
  for (let position = 0; position < samples.count; position++) {
    const name = nameOf(position);
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts]
    .map(([name, count]) => ({ name, count }))
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
}
