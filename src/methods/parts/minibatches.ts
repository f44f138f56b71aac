import type { Samples } from "../../data/dataset.ts";
import { deriveKey, type Key, randomStream } from "../../kernel/key.ts";
import type { Feeds } from "../../training/feeds.ts";

/** A minibatch as it is fed. The arrays are reused for the next one. */
export interface Minibatch {
  /** [rows, …featureShape] */
  readonly features: Float32Array;
  /** [rows] */
  readonly labels: BigInt64Array;
  /** Where its rows lie in the samples. */
  readonly positions: Uint32Array;
}

/** How an epoch is cut into minibatches. */
export interface MinibatchOptions {
  readonly batchSize: number;
  /** Decides the order, together with the epoch. */
  readonly key: Key;
  readonly epoch: number;
}

/** Steps of an epoch: ⌈count / batchSize⌉. */
export function stepsPerEpoch(samples: Samples, batchSize: number): number {
  return Math.ceil(samples.count / batchSize);
}

/** One epoch: every sample once, in an order drawn from (key, epoch); the last minibatch may be smaller. */
export function* minibatches(samples: Samples, options: MinibatchOptions): Generator<Minibatch> {
  const { batchSize, key, epoch } = options;
  const fill = batchFiller(samples, batchSize);
  const order = randomStream(deriveKey(key, "order", epoch)).permutation(samples.count);
  for (let at = 0; at < order.length; at += batchSize) yield fill(order.subarray(at, at + batchSize));
}

/** Epoch after epoch without an end, for the shorter of two sets; full minibatches, or all samples where there are fewer. */
export function* cycledMinibatches(samples: Samples, options: MinibatchOptions): Generator<Minibatch> {
  const rows = Math.min(options.batchSize, samples.count);
  const fill = batchFiller(samples, rows);
  for (let round = 0; ; round++) {
    const order = randomStream(deriveKey(options.key, "cycle", options.epoch, round)).permutation(
      samples.count,
    );
    for (let at = 0; at + rows <= order.length; at += rows) yield fill(order.subarray(at, at + rows));
  }
}

/** A function that reads chosen samples into one reused minibatch. */
export function batchFiller(samples: Samples, batchSize: number): (positions: Uint32Array) => Minibatch {
  const features = new Float32Array(batchSize * samples.featureLength);
  const labels = new BigInt64Array(batchSize);
  return (positions) => {
    samples.gather(positions, features);
    for (const [row, position] of positions.entries()) {
      labels[row] = BigInt(samples.labels[position] as number);
    }
    return {
      features: features.subarray(0, positions.length * samples.featureLength),
      labels: labels.subarray(0, positions.length),
      positions,
    };
  };
}

/** Minibatches as feeds of the objective's batch `name`. */
export function* fedAs(name: string, batches: Iterable<Minibatch>): Generator<Feeds> {
  for (const { features, labels } of batches) yield { [name]: { features, labels } };
}

/** Two streams of minibatches side by side, as feeds; ends with the first. */
export function* fedTogether(
  [name, batches]: readonly [string, Iterable<Minibatch>],
  [otherName, others]: readonly [string, Iterator<Minibatch>],
): Generator<Feeds> {
  for (const { features, labels } of batches) {
    const other = others.next();
    if (other.done) return;
    yield {
      [name]: { features, labels },
      [otherName]: { features: other.value.features, labels: other.value.labels },
    };
  }
}
