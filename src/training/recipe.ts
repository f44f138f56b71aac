import { z } from "zod";
import type { Samples } from "../data/dataset.ts";
import type { Progress } from "../kernel/events.ts";
import { deriveKey, type Key } from "../kernel/key.ts";
import { type Architecture, initialWeights } from "../models/architecture.ts";
import type { RuntimeOptions } from "../runtime/program.ts";
import { train } from "./loop.ts";
import type { TrainerState } from "./objective.ts";
import { optimizerSchema } from "./optimizers.ts";
import { scheduleSchema } from "./schedules.ts";
import { createTrainer } from "./trainer.ts";

/** How a classifier is trained centrally; the only place where the defaults live. */
export const recipeSchema = z.strictObject({
  epochs: z.int().min(1).default(5),
  batchSize: z.int().min(1).default(64),
  learningRate: z.number().positive().optional().describe("0.02 for sgd, 0.001 for adam and adamw"),
  optimizer: optimizerSchema.prefault({ id: "sgd", momentum: 0.9 }),
  schedule: scheduleSchema.prefault({ id: "constant" }),
});

/** A recipe with all its settings. */
export type Recipe = z.output<typeof recipeSchema>;

/** Learning rates that suit the ready architectures. */
const DEFAULT_RATE = { sgd: 0.02, adam: 0.001, adamw: 0.001 } as const;

/** The base step size of a recipe: its own, or the one that suits its optimizer. */
export function rateOf({ learningRate, optimizer }: Recipe): number {
  return learningRate ?? DEFAULT_RATE[optimizer.id];
}

/** What a run by a recipe needs besides it. */
export interface RecipeRun {
  readonly architecture: Architecture;
  readonly samples: Samples;
  /** Decides the initial weights and the order of the samples. */
  readonly key: Key;
  readonly runtime: RuntimeOptions;
  /** A state given to `onEpoch` by an interrupted run; this one goes on after it, bit for bit. */
  readonly resume?: TrainerState | undefined;
  readonly onEpoch?: (state: TrainerState, epoch: number) => void | Promise<void>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Trains from random initial weights: what `lethe train`, the method `retrain` and every reference model of an audit do.
 *
 * @returns the state after the last step, a pure function of (recipe, architecture, samples, key) for equal thread counts
 * @throws LETHE_DATA_EMPTY, LETHE_NUMERIC_LOSS, LETHE_CANCELLED
 */
export async function* trainByRecipe(recipe: Recipe, run: RecipeRun): Progress<TrainerState> {
  const { architecture, key, resume, onEpoch, signal } = run;
  await using trainer = await createTrainer(architecture, recipe.optimizer, run.runtime);
  return yield* train(trainer, initialWeights(architecture, deriveKey(key, "initial")), {
    samples: run.samples,
    epochs: recipe.epochs,
    batchSize: recipe.batchSize,
    learningRate: rateOf(recipe),
    schedule: recipe.schedule,
    key: deriveKey(key, "training"),
    ...(resume === undefined ? {} : { resume }),
    ...(onEpoch === undefined ? {} : { onEpoch }),
    ...(signal === undefined ? {} : { signal }),
  });
}
