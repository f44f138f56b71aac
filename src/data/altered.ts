import { LetheError } from "../kernel/errors.ts";
import type { Samples } from "./dataset.ts";
import { completeSamples } from "./view.ts";

/** How a view differs from the samples under it. */
export interface Alteration {
  /** New labels, one per position, in 0 … classCount − 1. */
  readonly labels?: Int32Array;
  /** Changes features as they are gathered: `change` rewrites the row at `out[offset …]` of each position marked 1. */
  readonly features?: {
    readonly marked: Uint8Array;
    readonly change: (out: Float32Array, offset: number) => void;
  };
}

/**
 * The same samples, ids and groups with other labels or features. Nothing is copied but the labels: features are
 * changed in the rows handed out.
 *
 * @param samples - stays as it is
 * @throws LETHE_INTERNAL_COLUMNS when `labels` or `marked` is not as long as the samples
 */
export function alteredSamples(samples: Samples, { labels, features }: Alteration): Samples {
  requireOnePerSample(labels, samples);
  requireOnePerSample(features?.marked, samples);
  return completeSamples({
    ...samples,
    labels: labels?.slice() ?? samples.labels,
    gather(positions, out) {
      samples.gather(positions, out);
      if (!features) return;
      for (let row = 0; row < positions.length; row++) {
        if (features.marked[positions[row] as number]) features.change(out, row * samples.featureLength);
      }
    },
  });
}

function requireOnePerSample(column: Int32Array | Uint8Array | undefined, samples: Samples): void {
  if (!column || column.length === samples.count) return;
  throw new LetheError(
    "internal",
    "INTERNAL_COLUMNS",
    `Expected ${samples.count} entries, one per sample, got ${column.length}.`,
  );
}
