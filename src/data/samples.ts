import { LetheError } from "../kernel/errors.ts";
import { sizeOf } from "../kernel/layout.ts";
import type { Positions, Samples, SampleTargets } from "./dataset.ts";
import { completeSamples, requirePosition } from "./view.ts";

/** Samples as they lie in memory: one array per kind of fact, position after position. */
export interface SampleColumns {
  /** `mnist/train`: the id of position `i` is `mnist/train/i`. */
  readonly idPrefix: string;
  readonly featureShape: readonly number[];
  readonly features: FeatureColumn;
  readonly labels: Int32Array;
  readonly classCount: number;
  /** Class numbers of every position, row-major [count, …shape]. */
  readonly targets?: { readonly shape: readonly number[]; readonly values: Int32Array };
  /** Whom each sample is about; the empty word names nobody. */
  readonly subjects?: CategoryColumn;
  readonly groups?: Readonly<Record<string, CategoryColumn>>;
}

/**
 * Row-major [count, featureLength]: bytes, to be divided by `divisor` (255 for pixels), or the numbers themselves. Or a function
 * that writes row `position` of `count` at out[offset …], which holds zeros.
 */
export type FeatureColumn =
  | { readonly values: Uint8Array; readonly divisor: number }
  | { readonly values: Float32Array }
  | {
      readonly count: number;
      readonly fill: (position: number, out: Float32Array, offset: number) => void;
    };

/** One word per position, each distinct word stored once: position `i` has `names[codes[i]]`. */
export interface CategoryColumn {
  readonly codes: Int32Array;
  readonly names: readonly string[];
}

/**
 * Makes samples of columns, which must not be written to any more.
 *
 * @throws LETHE_INTERNAL_COLUMNS when the columns' lengths do not fit each other
 */
export function samplesOf(columns: SampleColumns): Samples {
  const { idPrefix, featureShape, features, labels, classCount, targets, subjects, groups = {} } = columns;
  const featureLength = sizeOf(featureShape);
  requireEqualLengths(columns, featureLength);

  const count = labels.length;
  const groupEntries = Object.entries(groups);
  const copyRow = rowCopier(features, featureLength);
  return completeSamples({
    count,
    featureShape,
    featureLength,
    classCount,
    labels,
    ...(targets && { targets: targetsOf(targets, count) }),
    groupNames: Object.keys(groups),
    id: (position) => `${idPrefix}/${position}`,
    subject: (position) => (subjects && wordAt(subjects, position)) || undefined,
    groups: (position) =>
      Object.fromEntries(groupEntries.map(([name, column]) => [name, wordAt(column, position)])),
    gather(positions, out) {
      requireRoom(positions, featureLength, out);
      for (let row = 0; row < positions.length; row++) {
        const position = positions[row] as number;
        requirePosition(position, count);
        copyRow(position, out, row * featureLength);
      }
    },
  });
}

function targetsOf({ shape, values }: NonNullable<SampleColumns["targets"]>, count: number): SampleTargets {
  const length = sizeOf(shape);
  return {
    shape,
    gather(positions, out) {
      let to = 0;
      for (const position of positions) {
        requirePosition(position, count);
        const from = position * length;
        for (let at = from; at < from + length; at++) out[to++] = BigInt(values[at] as number);
      }
    },
  };
}

/** Writes the row of a position to `out` at `to`. */
function rowCopier(
  features: FeatureColumn,
  length: number,
): (position: number, out: Float32Array, to: number) => void {
  if ("fill" in features) {
    return (position, out, to) => {
      out.fill(0, to, to + length);
      features.fill(position, out, to);
    };
  }
  if (!("divisor" in features)) {
    return (position, out, to) =>
      out.set(features.values.subarray(position * length, (position + 1) * length), to);
  }
  const { values, divisor } = features;
  // A look-up is as fast as a multiplication and gives the correctly rounded quotient.
  const quotient = Float32Array.from({ length: 256 }, (_, byte) => byte / divisor);
  return (position, out, to) => {
    const from = position * length;
    for (let at = 0; at < length; at++) out[to + at] = quotient[values[from + at] as number] as number;
  };
}

function wordAt(column: CategoryColumn, position: number): string {
  return column.names[column.codes[position] as number] as string;
}

function requireRoom(positions: Positions, featureLength: number, out: Float32Array): void {
  if (out.length >= positions.length * featureLength) return;
  throw new LetheError(
    "usage",
    "USAGE_GATHER",
    `Expected room for ${positions.length} × ${featureLength} numbers, got an array of ${out.length}.`,
  );
}

function requireEqualLengths(columns: SampleColumns, featureLength: number): void {
  const { features, labels, targets, subjects, groups = {} } = columns;
  const count = labels.length;
  const columnsOfWords = Object.entries({ subjects, ...groups });
  const lengths: readonly (readonly [string, number])[] = [
    ["features", "fill" in features ? features.count : features.values.length / featureLength],
    ["targets", targets === undefined ? count : targets.values.length / sizeOf(targets.shape)],
    ...columnsOfWords.map(([name, column]) => [name, column?.codes.length ?? count] as const),
  ];
  for (const [name, length] of lengths) {
    if (length === count) continue;
    throw new LetheError(
      "internal",
      "INTERNAL_COLUMNS",
      `Expected ${count} samples as in labels, got ${length} in ${name}.`,
    );
  }
}
