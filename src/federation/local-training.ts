import { z } from "zod";
import type { Samples } from "../data/dataset.ts";
import { consume } from "../kernel/events.ts";
import { deriveKey, type Key } from "../kernel/key.ts";
import type { ModelLayout } from "../kernel/layout.ts";
import { unflatten } from "../kernel/parameters.ts";
import { train } from "../training/loop.ts";
import { type OptimizerConfig, optimizerSchema } from "../training/optimizers.ts";
import type { Trainer } from "../training/trainer.ts";

/** What every client does in a round; the only place where these defaults live. */
export const localTrainingSchema = z.strictObject({
  epochs: z.int().min(1).default(2).describe("passes over the client's samples in a round"),
  batchSize: z.int().min(1).default(50),
  learningRate: z.number().positive().default(0.1),
  optimizer: optimizerSchema
    // The unlearning rules know how far heavy-ball momentum carries an update, not Nesterov's.
    .refine(
      (optimizer) => optimizer.id !== "sgd" || !optimizer.nesterov,
      "expected momentum without nesterov",
    )
    .prefault({ id: "sgd" }),
});

/** A client's training settings. */
export type LocalTraining = z.output<typeof localTrainingSchema>;

/** What a client sends back. */
export interface LocalResult {
  /** Weights after minus weights before, buffers included [layout.length]. */
  readonly update: Float32Array;
  readonly steps: number;
  /** Adam only: the bias-corrected mean of squared minibatch gradients [layout.parameterLength]. */
  readonly squaredGradient: Float32Array | undefined;
}

/**
 * One client's work in one round: `epochs` passes of minibatch training from the server's weights, with fresh optimizer
 * state. The sample order depends on (key, client, round) alone, so a run without another client sees the same orders.
 *
 * @param weights - the server's weights [layout.length], not changed
 */
export async function trainLocally(
  trainer: Trainer,
  layout: ModelLayout,
  weights: Float32Array,
  samples: Samples,
  settings: LocalTraining,
  order: { readonly key: Key; readonly client: string; readonly round: number; readonly maxSteps?: number },
  signal?: AbortSignal,
): Promise<LocalResult> {
  const state = await consume(
    train(trainer, unflatten(layout, weights), {
      samples,
      epochs: settings.epochs,
      batchSize: settings.batchSize,
      learningRate: settings.learningRate,
      key: deriveKey(order.key, "local", order.client, order.round),
      ...(order.maxSteps === undefined ? {} : { maxSteps: order.maxSteps }),
      ...(signal === undefined ? {} : { signal }),
    }),
  );
  const update = new Float32Array(layout.length);
  for (const slot of layout.slots) {
    const after = state.weights.get(slot.name) as Float32Array;
    for (let i = 0; i < slot.length; i++) {
      update[slot.offset + i] = (after[i] as number) - (weights[slot.offset + i] as number);
    }
  }
  return { update, steps: state.step, squaredGradient: squaredGradient(settings.optimizer, layout, state) };
}

function squaredGradient(
  optimizer: OptimizerConfig,
  layout: ModelLayout,
  state: { readonly optimizer: ReadonlyMap<string, Float32Array>; readonly step: number },
): Float32Array | undefined {
  if (optimizer.id === "sgd") return undefined;
  const correction = 1 - optimizer.beta2 ** state.step;
  const mean = new Float32Array(layout.parameterLength);
  for (const slot of layout.slots) {
    const moment = state.optimizer.get(`second-moment:${slot.name}`);
    if (moment === undefined) continue;
    for (let i = 0; i < slot.length; i++) mean[slot.offset + i] = (moment[i] as number) / correction;
  }
  return mean;
}
