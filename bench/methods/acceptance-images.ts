import type { ParameterSet } from "../../src/kernel/parameters.ts";
import type { Method } from "../../src/methods/contract.ts";
import { findMethod } from "../../src/methods/index.ts";
import { ofClasses, withoutClasses } from "../../src/methods/parts/class-accuracy.ts";
import { cnn } from "../../src/models/cnn.ts";
import { type AccuracyOn, type Experiment, type ExperimentCase, trained } from "./experiment.ts";
import { type ImageCase, imageCase } from "./image-case.ts";

/** Trained until nearly all training samples are known by heart: only then is there something to forget in single ones. */
export const RECIPE = { epochs: 20, learningRate: 0.05, schedule: { id: "cosine" } } as const;
export const COUNTS = { training: 6000, validation: 1000, holdout: 1000 } as const;

/** Whole classes and random samples of the cases. */
export const CLASS = { classes: [3] } as const;
export const RANDOM = { share: 0.1 } as const;

/** The small network of all experiments on images: two convolutions of stride 2 (16 and 32 channels), a hidden layer of 64. */
export function acceptanceNetwork({
  inputShape,
  classes,
}: {
  readonly inputShape: readonly number[];
  readonly classes: number;
}) {
  const blocks = [
    { channels: 16, kernel: 5, stride: 2, padding: 2 },
    { channels: 32, kernel: 3, stride: 2, padding: 1 },
  ];
  return cnn(inputShape, classes, { id: "acceptance-cnn", blocks, hidden: 64 });
}

/** 6,000 Fashion-MNIST images on the small network; models that several experiments need are trained once. */
export function fashionCase(
  of: Pick<ImageCase, "id" | "seed" | "forget"> & Partial<ImageCase>,
): Promise<ExperimentCase> {
  return imageCase({
    dataset: "fashion-mnist",
    ...COUNTS,
    recipe: RECIPE,
    architecture: acceptanceNetwork,
    ...of,
  });
}

/**
 * What a request is made for: `hide` that the samples were ever trained on, `forget` them as far as can be without harm, or `repair`
 * what false labels did.
 */
export type Aim = "hide" | "forget" | "repair";

/** Settings from a method's own trials, its defaults and its grid, or from others. */
export async function chooseFor(
  experiment: Experiment,
  of: ExperimentCase,
  method: string,
  {
    aim,
    trials,
  }: { readonly aim?: Aim; readonly trials?: readonly Readonly<Record<string, unknown>>[] } = {},
): ReturnType<Experiment["choose"]> {
  const original = (await trained(of, "original")).weights;
  const score = heldOutScore(of, original, aim ?? (of.forgetClasses.length > 0 ? "forget" : "hide"));
  return experiment.choose(of, method, {
    method,
    trials: trials ?? gridOf(findMethod(method)),
    score,
  });
}

const MOST_TRIALS = 4;

/** A method's defaults, then its grid one setting at a time, so many at most. */
function gridOf({ grid }: Pick<Method, "grid">): readonly Readonly<Record<string, unknown>>[] {
  const axes = Object.entries(grid);
  const longest = Math.max(0, ...axes.map(([, values]) => values.length));
  const variations = Array.from({ length: longest }, (_, index) =>
    axes.flatMap(([name, values]) => (index < values.length ? [{ [name]: values[index] }] : [])),
  ).flat();
  return [{}, ...variations].slice(0, MOST_TRIALS);
}

/**
 * How good a model looks without a retrained one: accuracy on held-out samples of the kept classes, less how far the accuracy on forget
 * samples is from where it should be: 0 to forget, and to hide what the trained model gets right of held-out samples of their classes.
 */
function heldOutScore(of: ExperimentCase, original: ParameterSet, aim: Aim) {
  return async (weights: ParameterSet, accuracyOn: AccuracyOn): Promise<number> => {
    const kept = await accuracyOn(weights, withoutClasses(of.validation, of.forgetClasses));
    if (aim === "repair") return kept;
    const target =
      aim === "forget" ? 0 : await accuracyOn(original, ofClasses(of.validation, of.forget.labels));
    return kept - Math.abs((await accuracyOn(weights, of.forget)) - target);
  };
}

/** A figure of a criterion, to a decimal. */
export function shown(value: number, decimals = 1): string {
  return value.toFixed(decimals);
}
