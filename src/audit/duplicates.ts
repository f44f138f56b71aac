import type { Samples } from "../data/dataset.ts";
import { quantile } from "../metrics/statistics/summary.ts";
import type { AuditSets } from "./scored-model.ts";

/** Copies of forgotten samples that were kept: what they taught stays, in a retrained model too. */
export interface Duplicates {
  /** Forget samples, of all of them, whose features are bit by bit those of a retained sample. */
  readonly exact: number;
  readonly forget: number;
  /** Of the compared ones: those much nearer to a retained sample than unseen samples are. */
  readonly near: number;
  readonly compared: number;
}

/** Samples compared by distance: every one with every other. */
const MOST_COMPARED = 200;
const MOST_RETAINED = 2000;
/** A forgotten sample is a near copy when it is this much nearer than all but few unseen ones: chance seldom does that. */
const NEARER = 1 / 2;
const FEW = 0.05;

/**
 * Looks for copies of forget samples among the retained ones: exact ones everywhere, near ones (Euclidean distance) in a part.
 *
 * @param sets - `unseen` says how near to the retained samples a sample is by chance
 */
export function findDuplicates(forget: Samples, retain: Samples, sets: AuditSets): Duplicates {
  const rows = rowsOf(sets.retain, MOST_RETAINED);
  const forgetRows = rowsOf(sets.forget, MOST_COMPARED);
  const byChance = rowsOf(sets.unseen, MOST_COMPARED).map((row) => nearest(row, rows));
  const limit = byChance.length === 0 ? 0 : NEARER * quantile(byChance, FEW);
  return {
    exact: exactCopies(forget, retain),
    forget: forget.count,
    near: forgetRows.filter((row) => nearest(row, rows) < limit).length,
    compared: forgetRows.length,
  };
}

function exactCopies(forget: Samples, retain: Samples): number {
  const wanted = new Map<number, { readonly row: Float32Array; isFound: boolean }[]>();
  for (const row of eachRow(forget)) {
    const hash = hashOf(row);
    const entries = wanted.get(hash) ?? [];
    entries.push({ row: row.slice(), isFound: false });
    wanted.set(hash, entries);
  }
  let copies = 0;
  for (const row of eachRow(retain)) {
    for (const entry of wanted.get(hashOf(row)) ?? []) {
      if (entry.isFound || !entry.row.every((value, at) => value === row[at])) continue;
      entry.isFound = true;
      copies++;
    }
  }
  return copies;
}

/** The features of every sample in turn; the array is reused. */
function* eachRow(samples: Samples): Generator<Float32Array> {
  const row = new Float32Array(samples.featureLength);
  for (let position = 0; position < samples.count; position++) {
    samples.gather([position], row);
    yield row;
  }
}

/** FNV-1a over the bits; rows with one hash are compared number by number. */
function hashOf(row: Float32Array): number {
  let hash = 0x811c9dc5;
  for (const word of new Uint32Array(row.buffer, row.byteOffset, row.length)) {
    hash = Math.imul(hash ^ word, 0x01000193);
  }
  return hash;
}

function rowsOf(samples: Samples, most: number): readonly Float32Array[] {
  return Array.from(eachRow(samples.subset([...samples.labels.keys()].slice(0, most))), (row) => row.slice());
}

function nearest(row: Float32Array, others: readonly Float32Array[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (const other of others) {
    let sum = 0;
    for (let k = 0; k < row.length && sum < least; k++)
      sum += ((row[k] as number) - (other[k] as number)) ** 2;
    if (sum < least) least = sum;
  }
  return Math.sqrt(least);
}
