import type { Augmenter } from "../data/augment/augmenter.ts";
import { type Batch, batchFiller } from "../data/batches.ts";
import type { Samples } from "../data/dataset.ts";
import { digestArrays } from "../kernel/digest.ts";
import { LetheError, throwIfCancelled } from "../kernel/errors.ts";
import type { Progress } from "../kernel/events.ts";
import { deriveKey, type Key, randomStream } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { learningRateFactor, type Schedule } from "./schedules.ts";
import type { TrainerState } from "./take-step.ts";
import type { Trainer } from "./trainer.ts";

/** How long and on what to train. */
export interface LoopOptions {
  readonly samples: Samples;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly schedule?: Schedule;
  /** Decides the order of the samples in every epoch. */
  readonly key: Key;
  /** Gives the `batch`-th minibatch of an order of {@link LoopOptions.samples}, where that is not done here. */
  readonly batches?: (order: Uint32Array, batch: number) => Promise<Batch>;
  /** Changes every batch before the step sees it. */
  readonly augment?: Augmenter;
  /** A state given by an earlier {@link LoopOptions.onEpoch}; the run goes on after that epoch, bit for bit. */
  readonly resume?: TrainerState;
  /** Steps to take instead of whole epochs, when fewer. */
  readonly maxSteps?: number;
  /** Called after each epoch with everything a resumed run needs. */
  readonly onEpoch?: (state: TrainerState, epoch: number) => void | Promise<void>;
  readonly signal?: AbortSignal;
}

/** Steps between two `step` events: a bar that moves, not a flood. */
const EVENT_EVERY = 20;

/**
 * Minibatch training: every epoch runs over a fresh permutation derived from (key, epoch); the last batch may be smaller.
 *
 * @yields `step` events with the loss, and a `checkpoint` event after each `onEpoch`
 * @returns the state after the last step
 * @throws LETHE_USAGE_LOOP for sizes that make no sense; LETHE_NUMERIC_LOSS; LETHE_CANCELLED
 */
export async function* train(
  trainer: Trainer,
  start: ParameterSet,
  options: LoopOptions,
): Progress<TrainerState> {
  const { samples, epochs, batchSize } = options;
  requirePositive("epochs", epochs);
  requirePositive("batchSize", batchSize);
  if (samples.count === 0)
    throw new LetheError("data", "DATA_EMPTY", "Expected samples to train on, got none.");
  const stepsPerEpoch = Math.ceil(samples.count / batchSize);
  const total = Math.min(epochs * stepsPerEpoch, options.maxSteps ?? Number.POSITIVE_INFINITY);
  const fill = batchFiller(samples, batchSize);
  const batches =
    options.batches ??
    ((order: Uint32Array, batch: number) => fill(order.subarray(batch * batchSize, (batch + 1) * batchSize)));
  let state = options.resume ?? trainer.start(start);

  for (let epoch = Math.floor(state.step / stepsPerEpoch); state.step < total; epoch++) {
    const order = randomStream(deriveKey(options.key, "order", epoch)).permutation(samples.count);
    for (
      let batch = state.step - epoch * stepsPerEpoch;
      batch < stepsPerEpoch && state.step < total;
      batch++
    ) {
      throwIfCancelled(options.signal);
      const { features, labels } = await batches(order, batch);
      options.augment?.(features, order.subarray(batch * batchSize, (batch + 1) * batchSize), epoch);
      const factor =
        options.schedule === undefined ? 1 : learningRateFactor(options.schedule, state.step, total);
      const result = await trainer.step(state, features, labels, options.learningRate * factor);
      state = result.state;
      if (state.step % EVENT_EVERY === 0 || state.step === total) {
        yield { type: "step", step: state.step, of: total, scalars: { loss: result.loss, epoch: epoch + 1 } };
      }
    }
    if (options.onEpoch !== undefined) {
      await options.onEpoch(state, epoch);
      yield { type: "checkpoint", step: state.step, digest: digestArrays(state.weights) };
    }
  }
  return state;
}

function requirePositive(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new LetheError(
      "usage",
      "USAGE_LOOP",
      `Expected \`${name}\` to be a whole number ≥ 1, got ${value}.`,
    );
  }
}
