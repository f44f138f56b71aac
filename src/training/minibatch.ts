import type { Samples } from "../data/dataset.ts";
import { sizeOf } from "../kernel/layout.ts";

/** A minibatch as it is fed. The arrays are reused for the next one. */
export interface Minibatch {
  /** [rows, …featureShape] */
  readonly features: Float32Array;
  /** [rows], or [rows, …targets.shape] of text */
  readonly labels: BigInt64Array;
  /** Where its rows lie in the samples. */
  readonly positions: Uint32Array;
}

/** A function that reads chosen samples, at most `batchSize`, into one reused minibatch. */
export function batchFiller(samples: Samples, batchSize: number): (positions: Uint32Array) => Minibatch {
  const features = new Float32Array(batchSize * samples.featureLength);
  const { targets } = samples;
  const answers = sizeOf(targets?.shape ?? []);
  const labels = new BigInt64Array(batchSize * answers);
  return (positions) => {
    samples.gather(positions, features);
    if (targets !== undefined) targets.gather(positions, labels);
    else {
      for (const [row, position] of positions.entries()) {
        labels[row] = BigInt(samples.labels[position] as number);
      }
    }
    return {
      features: features.subarray(0, positions.length * samples.featureLength),
      labels: labels.subarray(0, positions.length * answers),
      positions,
    };
  };
}
