import { type Batch, batchFiller } from "../../data/batches.ts";
import type { Positions, Samples } from "../../data/dataset.ts";
import { deriveKey, type Key, randomStream } from "../../kernel/key.ts";
import type { Feeds } from "../../training/feeds.ts";

/** A minibatch with where its rows lie in the samples. Its arrays are reused for the next one. */
export interface Minibatch extends Batch {
  readonly positions: Uint32Array;
}

/** How an epoch is cut into minibatches. */
export interface MinibatchOptions {
  readonly batchSize: number;
  /** Decides the order, together with the epoch. */
  readonly key: Key;
  readonly epoch: number;
}

/** One epoch: every sample once, in an order drawn from (key, epoch); the last minibatch may be smaller. */
export function* minibatches(samples: Samples, options: MinibatchOptions): Generator<Minibatch> {
  const { batchSize, key, epoch } = options;
  const order = randomStream(deriveKey(key, "order", epoch)).permutation(samples.count);
  yield* orderedMinibatches(samples, order, batchSize);
}

/** The samples at given positions, in that order; the last minibatch may be smaller. */
export function* orderedMinibatches(
  samples: Samples,
  order: Uint32Array,
  batchSize: number,
): Generator<Minibatch> {
  const fill = batchFiller(samples, batchSize);
  for (let at = 0; at < order.length; at += batchSize) {
    const positions = order.subarray(at, at + batchSize);
    yield { ...fill(positions), positions };
  }
}

/** Epoch after epoch without an end, for the shorter of two sets; full minibatches, or all samples where there are fewer. */
export function* cycledMinibatches(samples: Samples, options: MinibatchOptions): Generator<Minibatch> {
  const rows = Math.min(options.batchSize, samples.count);
  const fill = batchFiller(samples, rows);
  for (let round = 0; ; round++) {
    const order = randomStream(deriveKey(options.key, "cycle", options.epoch, round)).permutation(
      samples.count,
    );
    for (let at = 0; at + rows <= order.length; at += rows) {
      const positions = order.subarray(at, at + rows);
      yield { ...fill(positions), positions };
    }
  }
}

/** A row for every sample, fed beside its features: a teacher's class scores, a mask, a weight. */
export interface RowTable {
  /** [count, width] */
  readonly values: Float32Array;
  readonly width: number;
}

/** A minibatch as what is fed for the objective's batch of a name. */
export type BatchFeed = Readonly<Record<string, Float32Array | BigInt64Array>>;

/** The parts of a minibatch, with the rows of `tables` that belong to its samples. */
export function feedOf(batch: Minibatch, tables: Readonly<Record<string, RowTable>> = {}): BatchFeed {
  const { features, labels, positions } = batch;
  return {
    features,
    labels,
    ...Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, rowsOf(table, positions)])),
  };
}

function rowsOf({ values, width }: RowTable, positions: Positions): Float32Array {
  const rows = new Float32Array(positions.length * width);
  for (const [row, position] of positions.entries()) {
    rows.set(values.subarray(position * width, (position + 1) * width), row * width);
  }
  return rows;
}

/** Minibatches as feeds of the objective's batch `name`. */
export function* fedAs(
  name: string,
  batches: Iterable<Minibatch>,
  tables: Readonly<Record<string, RowTable>> = {},
): Generator<Feeds> {
  for (const batch of batches) yield { [name]: feedOf(batch, tables) };
}

/** Two streams of feeds side by side; ends with the first. */
export function* fedTogether(first: Iterable<Feeds>, second: Iterable<Feeds>): Generator<Feeds> {
  const others = second[Symbol.iterator]();
  for (const feeds of first) {
    const other = others.next();
    if (other.done) return;
    yield { ...feeds, ...other.value };
  }
}

/** Feeds with what is the same, or changes from epoch to epoch only, beside the minibatch: masks, bases, factors. */
export function* fedWith(feeds: Iterable<Feeds>, fixed: Feeds): Generator<Feeds> {
  for (const fed of feeds) yield { ...fed, ...fixed };
}

/** At most so many of what an iterator gives. */
export function* firstOf<Item>(count: number, items: Iterator<Item>): Generator<Item> {
  for (let taken = 0; taken < count; taken++) {
    const { value, done } = items.next();
    if (done) return;
    yield value;
  }
}
