import { LetheError } from "../kernel/errors.ts";
import type { Positions, Samples } from "./dataset.ts";

/** What a kind of samples must say itself; the rest follows from it. */
export type SamplesCore = Omit<Samples, "subset" | "positionsByClass">;

/** Adds to `core` what every kind of samples can do in the same way. */
export function completeSamples(core: SamplesCore): Samples {
  let byClass: readonly Uint32Array[] | undefined;
  const samples: Samples = {
    ...core,
    subset: (positions) => subsetOf(samples, positions),
    positionsByClass() {
      byClass ??= positionsByLabel(core.labels, core.classCount);
      return byClass;
    },
  };
  return Object.freeze(samples);
}

/** Ascending positions of each label 0 … classCount − 1. */
export function positionsByLabel(labels: Int32Array, classCount: number): readonly Uint32Array[] {
  const counts = new Uint32Array(classCount);
  for (const label of labels) counts[label] = (counts[label] as number) + 1;
  const positions = Array.from(counts, (count) => new Uint32Array(count));
  const filled = new Uint32Array(classCount);
  labels.forEach((label, position) => {
    const at = filled[label] as number;
    (positions[label] as Uint32Array)[at] = position;
    filled[label] = at + 1;
  });
  return positions;
}

/** @throws LETHE_USAGE_GATHER for a position outside [0, count) */
export function requirePosition(position: number, count: number): void {
  if (Number.isInteger(position) && position >= 0 && position < count) return;
  throw new LetheError(
    "usage",
    "USAGE_GATHER",
    `Expected a position in [0, ${count}), got ${position}. Positions count from 0 within the samples asked.`,
    { details: { position, count } },
  );
}

function subsetOf(base: Samples, positions: Positions): Samples {
  for (const position of positions) requirePosition(position, base.count);
  // A copy: the caller may reuse its array.
  const chosen = Uint32Array.from(positions);
  const inBase = (position: number): number => {
    requirePosition(position, chosen.length);
    return chosen[position] as number;
  };
  return completeSamples({
    ...base,
    count: chosen.length,
    labels: Int32Array.from(chosen, (position) => base.labels[position] as number),
    id: (position) => base.id(inBase(position)),
    subject: (position) => base.subject(inBase(position)),
    groups: (position) => base.groups(inBase(position)),
    gather: (some, out) => base.gather(Uint32Array.from(some, inBase), out),
    ...(base.targets && {
      targets: {
        shape: base.targets.shape,
        gather: (some, out) => base.targets?.gather(Uint32Array.from(some, inBase), out),
      },
    }),
  });
}
