import { sizeOf } from "../kernel/layout.ts";
import type { Positions, Samples } from "./dataset.ts";

/** Samples as a graph takes them. The arrays are reused for the next batch. */
export interface Batch {
  /** [rows, …featureShape], row-major. */
  readonly features: Float32Array;
  /** Class numbers [rows], or [rows, …targets.shape] of text. */
  readonly labels: BigInt64Array;
}

/**
 * A function that reads chosen samples into the same buffers at every call.
 *
 * @param batchSize - samples it may be asked for at once, ≥ 1
 */
export function batchFiller(samples: Samples, batchSize: number): (positions: Positions) => Batch {
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
    };
  };
}

/**
 * All samples in their own order, piece by piece. A piece is overwritten by the next one.
 *
 * @param batchSize - samples a piece, ≥ 1; the last piece may be smaller
 */
export function* batchesOf(samples: Samples, batchSize: number): Generator<Batch> {
  const order = Uint32Array.from({ length: samples.count }, (_, position) => position);
  const fill = batchFiller(samples, batchSize);
  for (let at = 0; at < samples.count; at += batchSize) yield fill(order.subarray(at, at + batchSize));
}
