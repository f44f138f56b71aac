import type { Positions, Samples } from "./dataset.ts";

/** Samples as a graph takes them. */
export interface Batch {
  /** [rows, …featureShape], row-major. */
  readonly features: Float32Array;
  /** Class numbers, [rows]. */
  readonly labels: BigInt64Array;
}

/**
 * A function that gives the `batch`-th piece of an order, the last one perhaps smaller. It fills the same buffers at every call.
 *
 * @param batchSize - samples a piece, ≥ 1
 */
export function createBatcher(
  samples: Samples,
  batchSize: number,
): (order: Positions, batch: number) => Batch {
  const features = new Float32Array(batchSize * samples.featureLength);
  const labels = new BigInt64Array(batchSize);
  return (order, batch) => {
    const positions = order.slice(batch * batchSize, (batch + 1) * batchSize);
    samples.gather(positions, features);
    positions.forEach((position, row) => {
      labels[row] = BigInt(samples.labels[position] as number);
    });
    return {
      features: features.subarray(0, positions.length * samples.featureLength),
      labels: labels.subarray(0, positions.length),
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
  const batcher = createBatcher(samples, batchSize);
  for (let batch = 0; batch * batchSize < samples.count; batch++) yield batcher(order, batch);
}
