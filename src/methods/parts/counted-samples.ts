import type { Positions, Samples } from "../../data/dataset.ts";

/** Samples that know which of them have been read. */
export interface CountedSamples {
  readonly samples: Samples;
  /** Distinct samples whose features were read so far, and reads in all. */
  counts(): { readonly samples: number; readonly reads: number };
}

/**
 * The same samples, with every read of features counted, in views of them too: evidence of what a method used that does
 * not depend on what the method says of itself.
 */
export function countedSamples(base: Samples): CountedSamples {
  const seen = new Uint8Array(base.count);
  let reads = 0;
  const note = (positions: Positions): void => {
    reads += positions.length;
    for (const position of positions) seen[position] = 1;
  };
  return {
    samples: counting(base, note),
    counts: () => ({ samples: seen.reduce((sum, one) => sum + one, 0), reads }),
  };
}

function counting(base: Samples, note: (positions: Positions) => void): Samples {
  return Object.freeze({
    ...base,
    gather: (positions: Positions, out: Float32Array) => {
      base.gather(positions, out);
      note(positions);
    },
    subset: (positions: Positions) => {
      const chosen = Uint32Array.from(positions);
      return counting(base.subset(chosen), (inner) =>
        note(Uint32Array.from(inner, (at) => chosen[at] as number)),
      );
    },
  });
}
