import type { Command } from "commander";
import { AUGMENT_FORM } from "../data/augment/augmenter.ts";
import { RECIPE_SGD, type Recipe, recipeSchema } from "../training/recipe.ts";
import { parseCount, parseReal, parseSettings } from "./context.ts";
import { type NamedSettings, parseNamed } from "./named-settings.ts";

/** The flags of {@link addTrainOptions} as they come. */
export interface TrainFlags {
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly learningRate?: number;
  readonly optimizer?: NamedSettings;
  readonly schedule?: NamedSettings;
  readonly loss?: string;
  readonly labelSmoothing?: number;
  readonly l1?: number;
  readonly l2?: number;
  readonly proximal?: number;
  readonly clipNorm?: number;
  readonly clipValue?: number;
  readonly averaging?: number;
  readonly precision?: string;
  readonly augment?: string;
}

/** Adds the flags of central training to a command. */
export function addTrainOptions(command: Command): Command {
  return command
    .option("--epochs <count>", "passes over the data (default: 5)", parseCount)
    .option("--batch-size <count>", "samples in a step (default: 64)", parseCount)
    .option("--learning-rate <rate>", "base step size (default: 0.02 for sgd, 0.001 for adam)", parseReal)
    .option(
      "--optimizer <id>",
      "sgd (momentum 0.9), adam or adamw; settings as sgd:momentum=0.8,nesterov=true",
      parseNamed,
    )
    .option(
      "--schedule <id>",
      "constant, linear, cosine, step, milestones or one-cycle; settings as milestones:at=0.5/0.75,warmUp=0.05",
      parseNamed,
    )
    .option(
      "--loss <id>",
      "cross-entropy; hinge, which leaves alone what is right by a margin; mse, the squared error of the scores against 0 and 1. Models " +
        "that answer at every position take cross-entropy alone (default: cross-entropy)",
    )
    .option(
      "--label-smoothing <share>",
      "share of every label given to all classes alike; for cross-entropy and mse",
      parseReal,
    )
    .option("--l1 <strength>", "penalty on the sum of |w|", parseReal)
    .option("--l2 <strength>", "penalty on half the sum of w²", parseReal)
    .option(
      "--proximal <strength>",
      "penalty on half the squared distance from the starting weights",
      parseReal,
    )
    .option("--clip-norm <limit>", "shortens the gradient to this norm", parseReal)
    .option("--clip-value <limit>", "limits every element of the gradient", parseReal)
    .option("--averaging <decay>", "gives a running average of the weights, such as 0.99", parseReal)
    .option("--augment <steps>", `change images by chance: ${AUGMENT_FORM}`)
    .option(
      "--precision <id>",
      "float32; mixed is refused where the device has no 16-bit arithmetic, as on CPUs",
    );
}

/**
 * The settings the flags mean.
 *
 * @throws LETHE_USAGE_SETTINGS
 */
export function readTrainSettings(flags: TrainFlags, what: string): Recipe {
  const { optimizer, clipNorm: norm, clipValue: value } = flags;
  return parseSettings(
    recipeSchema,
    {
      epochs: flags.epochs,
      batchSize: flags.batchSize,
      learningRate: flags.learningRate,
      optimizer: optimizer?.id === "sgd" ? { ...RECIPE_SGD, ...optimizer } : optimizer,
      schedule: flags.schedule,
      loss: flags.loss,
      labelSmoothing: flags.labelSmoothing,
      l1: flags.l1,
      l2: flags.l2,
      proximal: flags.proximal,
      clipping: norm === undefined && value === undefined ? undefined : { norm, value },
      averaging: flags.averaging,
      precision: flags.precision,
      augment: flags.augment,
    },
    what,
  );
}
