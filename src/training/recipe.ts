import { z } from "zod";
import { AUGMENT_FORM, createAugmenter, parseAugmentations } from "../data/augment/augmenter.ts";
import type { Samples } from "../data/dataset.ts";
import type { Progress } from "../kernel/events.ts";
import { deriveKey, type Key } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { type Architecture, initialWeights } from "../models/architecture.ts";
import type { RuntimeOptions } from "../runtime/program.ts";
import { clippingSchema } from "./gradient-clipping.ts";
import { type LoopOptions, train } from "./loop.ts";
import { optimizerSchema } from "./optimizers.ts";
import { scheduleSchema } from "./schedules.ts";
import type { TrainerState } from "./take-step.ts";
import { createTrainer } from "./trainer.ts";
import { averagedWeights } from "./weight-average.ts";

/** What suits most models, and what settings of `sgd` start from. */
export const RECIPE_SGD = { id: "sgd", momentum: 0.9 } as const;

/** How a model is trained centrally; the only place where the defaults live. */
export const recipeSchema = z.strictObject({
  epochs: z.int().min(1).default(5),
  batchSize: z.int().min(1).default(64),
  learningRate: z.number().positive().optional().describe("0.02 for sgd, 0.001 for adam and adamw"),
  optimizer: optimizerSchema.prefault(RECIPE_SGD),
  schedule: scheduleSchema.prefault({ id: "constant" }),
  loss: z
    .enum(["cross-entropy", "hinge", "mse"])
    .optional()
    .describe("mse is the squared error of the scores against the labels as one-hot rows"),
  labelSmoothing: z.number().min(0).lt(1).optional(),
  l1: z.number().min(0).optional(),
  l2: z.number().min(0).optional(),
  proximal: z.number().min(0).optional(),
  clipping: clippingSchema.optional(),
  averaging: z.number().gt(0).lt(1).optional(),
  precision: z.enum(["float32", "mixed"]).optional(),
  augment: z.string().optional().describe(AUGMENT_FORM),
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
  /** Reads minibatches in place of the samples, such as ahead in a worker; the same as theirs. */
  readonly batches?: LoopOptions["batches"] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A model trained by a recipe. */
export interface RecipeResult {
  /** The model: the running average of the weights where the recipe asks for one. */
  readonly weights: ParameterSet;
  /** The state after the last step. */
  readonly state: TrainerState;
}

/**
 * Trains from random initial weights: what `lethe train`, the method `retrain` and every reference model of an audit do.
 *
 * @returns a pure function of (recipe, architecture, samples, key) for equal thread counts
 * @throws LETHE_DATA_EMPTY, LETHE_NUMERIC_LOSS, LETHE_CANCELLED
 */
export async function* trainByRecipe(recipe: Recipe, run: RecipeRun): Progress<RecipeResult> {
  const { architecture, key, resume, onEpoch, batches, signal } = run;
  const { averaging, optimizer, precision, loss } = recipe;
  const start = initialWeights(architecture, deriveKey(key, "initial"));
  await using trainer = await createTrainer(architecture, optimizer, {
    ...run.runtime,
    ...recipe,
    loss: loss === "mse" ? "label-mse" : loss,
    precision,
    anchor: start,
  });
  const state = yield* train(trainer, start, {
    samples: run.samples,
    epochs: recipe.epochs,
    batchSize: recipe.batchSize,
    learningRate: rateOf(recipe),
    schedule: recipe.schedule,
    key: deriveKey(key, "training"),
    ...(recipe.augment === undefined
      ? {}
      : { augment: createAugmenter(parseAugmentations(recipe.augment), run.samples, key) }),
    ...(batches === undefined ? {} : { batches }),
    ...(resume === undefined ? {} : { resume }),
    ...(onEpoch === undefined ? {} : { onEpoch }),
    ...(signal === undefined ? {} : { signal }),
  });
  return { state, weights: averaging === undefined ? state.weights : averagedWeights(state, averaging) };
}
