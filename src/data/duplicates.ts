import { digestBytes } from "../kernel/digest.ts";
import { LetheError } from "../kernel/errors.ts";
import type { Key } from "../kernel/key.ts";
import type { Positions, Samples } from "./dataset.ts";
import { distanceBlocks } from "./distance-blocks.ts";

/** A sample and another that is (nearly) the same. */
export interface DuplicatePair {
  /** Position of the one that is asked about. */
  readonly of: number;
  /** Position of the other. */
  readonly duplicate: number;
  /** Between their features. */
  readonly distance: number;
}

/** What counts as nearly the same. */
export interface NearDuplicateOptions {
  /** `euclidean`: distance at most `threshold`, above 0. `cosine`: 1 − cos ∠ at most `threshold`, in (0, 1). */
  readonly measure: "euclidean" | "cosine";
  readonly threshold: number;
  /** Decides the projections by which candidates are found. */
  readonly key: Key;
}

/**
 * Samples whose features are equal bit by bit, known by their digests.
 *
 * @returns groups of at least two ascending positions, in order of their first; labels may differ within one
 */
export function exactDuplicates(samples: Samples): readonly Uint32Array[] {
  const row = new Float32Array(samples.featureLength);
  const bytes = new Uint8Array(row.buffer);
  const positions = new Map<string, number[]>();
  for (let position = 0; position < samples.count; position++) {
    samples.gather([position], row);
    const digest = digestBytes(bytes);
    const group = positions.get(digest);
    if (group) group.push(position);
    else positions.set(digest, [position]);
  }
  return [...positions.values()].filter((group) => group.length > 1).map((group) => Uint32Array.from(group));
}

/**
 * Which of some samples (to be forgotten, say) have a near duplicate among others (retained): what a model keeps of the one it
 * keeps of the other.
 *
 * Candidates are found by {@link distanceBlocks} and then measured: every pair given is within the threshold; of pairs just
 * within it, 1 in 20 is missed, of nearer ones hardly any. A sample of zeros has no direction, hence no cosine and no duplicate.
 *
 * @param of - positions asked about
 * @param among - positions searched; a position in both is no duplicate of itself
 * @returns ordered by `of`, then by distance
 * @throws LETHE_USAGE_DUPLICATES for a threshold out of range
 */
export function nearDuplicates(
  samples: Samples,
  of: Positions,
  among: Positions,
  options: NearDuplicateOptions,
): readonly DuplicatePair[] {
  const { measure, threshold, key } = options;
  requireThreshold(measure, threshold);
  // On the unit sphere ‖x − y‖² = 2 (1 − cos ∠(x, y)).
  const radius = measure === "cosine" ? Math.sqrt(2 * threshold) : threshold;
  const length = samples.featureLength;
  const { blocksOf } = distanceBlocks(length, radius, key);
  const rowOf = (position: number, out: Float32Array): boolean => {
    samples.gather([position], out);
    return measure === "euclidean" || normalise(out);
  };

  const row = new Float32Array(length);
  const other = new Float32Array(length);
  const tables: Map<number, number[]>[] = [];
  for (const position of among) {
    if (!rowOf(position, row)) continue;
    blocksOf(row).forEach((block, table) => {
      tables[table] ??= new Map();
      const members = tables[table].get(block);
      if (members) members.push(position);
      else tables[table].set(block, [position]);
    });
  }
  const pairs: DuplicatePair[] = [];
  for (const position of of) {
    if (!rowOf(position, row)) continue;
    const candidates = new Set<number>();
    blocksOf(row).forEach((block, table) => {
      for (const member of tables[table]?.get(block) ?? []) candidates.add(member);
    });
    candidates.delete(position);
    for (const duplicate of candidates) {
      rowOf(duplicate, other);
      const euclidean = distanceWithin(row, other, radius);
      if (euclidean === undefined) continue;
      const distance = measure === "cosine" ? euclidean ** 2 / 2 : euclidean;
      pairs.push({ of: position, duplicate, distance });
    }
  }
  return pairs.sort((a, b) => a.of - b.of || a.distance - b.distance || a.duplicate - b.duplicate);
}

/** The distance of two rows; `undefined` when it is above `limit`. */
function distanceWithin(a: Float32Array, b: Float32Array, limit: number): number | undefined {
  const most = limit ** 2;
  let sum = 0;
  for (let at = 0; at < a.length; at++) {
    sum += ((a[at] as number) - (b[at] as number)) ** 2;
    if (sum > most) return undefined;
  }
  return Math.sqrt(sum);
}

/** Scales a row to length 1; false for one of zeros. */
function normalise(row: Float32Array): boolean {
  let sum = 0;
  for (const value of row) sum += value ** 2;
  if (sum === 0) return false;
  const scale = 1 / Math.sqrt(sum);
  for (let at = 0; at < row.length; at++) row[at] = (row[at] as number) * scale;
  return true;
}

function requireThreshold(measure: NearDuplicateOptions["measure"], threshold: number): void {
  const most = measure === "cosine" ? 1 : Number.POSITIVE_INFINITY;
  if (threshold > 0 && threshold < most) return;
  throw new LetheError(
    "usage",
    "USAGE_DUPLICATES",
    `Expected a threshold in (0, ${most}) for the ${measure} distance, got ${threshold}.`,
  );
}
