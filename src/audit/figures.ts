import { deriveKey, type Key } from "../kernel/key.ts";
import { bootstrapInterval } from "../metrics/statistics/bootstrap.ts";
import { mean, variance } from "../metrics/statistics/summary.ts";
import { measures } from "./measures/index.ts";
import type { Measure, MeasureFacts } from "./measures/measure.ts";
import type { ScoredModel } from "./scored-model.ts";

/** One measure for every model of an audit. */
export interface Figure {
  readonly measure: MeasureFacts;
  readonly original: number;
  readonly unlearned: number;
  /** Of each retrained model, compared with the others. */
  readonly retrained: readonly number[];
  /** For traces: of each model trained with the forget samples, compared with the others. */
  readonly trainedWith?: readonly number[];
  /** Standard error of a model's value: how much another draw of as many samples would move it; 0 where it is not a mean over samples. */
  readonly samplingError: number;
  /** By the control's id. */
  readonly controls: Readonly<Record<string, number>>;
  /** 95 % interval of unlearned − retrained, over samples and retrained models. */
  readonly ci: { readonly low: number; readonly high: number };
}

/** The models an audit compares. */
export interface ComparedModels<Model = ScoredModel> {
  readonly original: Model;
  readonly unlearned: Model;
  /** At least three: each is compared with the others. */
  readonly retrained: readonly Model[];
  /** Trained as the original was, forget samples included, from other seeds; without at least three no trace is looked for. */
  readonly trainedWith?: readonly Model[];
  readonly controls: Readonly<Record<string, Model>>;
}

/** Retrained models a model is compared with one by one: enough for a mean, not the square of their number. */
const MOST_PARTNERS = 8;
/** Models trained with the forget samples below which a spread between them means nothing. */
const LEAST_TRAINED_WITH = 3;
/** Draws of a bootstrap: the ends of its interval scatter by a fifth of its width, which a reader does not see. */
const RESAMPLES = 300;

/**
 * Every measure that can be taken of these models. Values of retrained models are formed by leaving one out, and those of any other model
 * with as many references, so that both are on one footing.
 *
 * @param key - decides the bootstrap's draws
 */
export function figuresOf(models: ComparedModels, key: Key): readonly Figure[] {
  const hasFeatures = models.original.features !== undefined;
  return figuresBy(
    measures.filter(({ group }) => hasFeatures || group !== "features"),
    models,
    key,
  );
}

/** As {@link figuresOf}, by measures of another kind of models. */
export function figuresBy<Model>(
  wanted: readonly Measure<Model>[],
  models: ComparedModels<Model>,
  key: Key,
): readonly Figure[] {
  const hasTrainedWith = (models.trainedWith?.length ?? 0) >= LEAST_TRAINED_WITH;
  return wanted
    .filter(({ values }) => hasTrainedWith || values.kind !== "trace")
    .flatMap((measure) => figureOf(measure, models, deriveKey(key, measure.id)) ?? []);
}

function figureOf<Model>(
  measure: Measure<Model>,
  models: ComparedModels<Model>,
  key: Key,
): Figure | undefined {
  const { retrained, trainedWith = [] } = models;
  const others = leavingOneOut(retrained);
  const valuesOf = (model: Model, rest: readonly Model[]): Float64Array =>
    samplewiseMean(valuesAgainst(measure, model, rest, trainedWith));
  const left = retrained.map((model, index) => valuesOf(model, others[index] ?? []));
  // No sample it could look at, such as when no unseen sample is of the forgotten class.
  if (left.some(({ length }) => length === 0)) return undefined;
  const against = (model: Model): readonly Float64Array[] => {
    // The same whoever it is compared with: a support vector machine is not trained K times over.
    if (measure.values.kind !== "own") return others.map((rest) => valuesOf(model, rest));
    const own = valuesOf(model, retrained);
    return others.map(() => own);
  };
  const meanOf = (groups: readonly ArrayLike<number>[]): number => mean(groups.map((group) => mean(group)));
  const unlearned = against(models.unlearned);
  const differences = unlearned.map((group, index) =>
    Array.from(group, (value, at) => value - ((left[index] as Float64Array)[at] as number)),
  );
  const { low, high } = bootstrapInterval(differences, meanOf, key, {
    resamples: RESAMPLES,
    method: "percentile",
  });
  const figure: Figure = {
    measure,
    original: meanOf(against(models.original)),
    unlearned: meanOf(unlearned),
    retrained: left.map((values) => mean(values)),
    samplingError: mean(left.map(standardError)),
    controls: Object.fromEntries(
      Object.entries(models.controls).map(([id, model]) => [id, meanOf(against(model))]),
    ),
    ci: { low, high },
  };
  const { values } = measure;
  if (values.kind !== "trace") return figure;
  const withOthers = leavingOneOut(trainedWith);
  return traceFigure(
    figure,
    trainedWith.map((model, index) => mean(values.of(model, retrained, withOthers[index] ?? []))),
  );
}

/** The figure in units of the distance between the two kinds of models: chance makes the weights fit the models they are made from, so that the means of others are not quite 0 and 1. */
function traceFigure(figure: Figure, trainedWith: readonly number[]): Figure | undefined {
  const origin = mean(figure.retrained);
  const unit = mean(trainedWith) - origin;
  // The two kinds are not even on their sides of each other: there is no trace to measure.
  if (!(unit > 0)) return undefined;
  const inUnits = (value: number): number => (value - origin) / unit;
  const { original, unlearned, retrained, controls, ci } = figure;
  return {
    ...figure,
    original: inUnits(original),
    unlearned: inUnits(unlearned),
    retrained: retrained.map(inUnits),
    trainedWith: trainedWith.map(inUnits),
    controls: Object.fromEntries(Object.entries(controls).map(([id, value]) => [id, inUnits(value)])),
    ci: { low: ci.low / unit, high: ci.high / unit },
    // The forget samples are all there are, not a draw of more.
    samplingError: 0,
  };
}

function leavingOneOut<Model>(models: readonly Model[]): readonly (readonly Model[])[] {
  return models.map((_, index) => models.filter((__, other) => other !== index));
}

/** Values of a model against references: one list, or one for each reference it is compared with. */
function valuesAgainst<Model>(
  { values }: Measure<Model>,
  model: Model,
  references: readonly Model[],
  trainedWith: readonly Model[],
): readonly Float64Array[] {
  switch (values.kind) {
    case "own":
      return [values.of(model)];
    case "pair":
      return references.slice(0, MOST_PARTNERS).map((reference) => values.of(model, reference));
    case "calibrated":
      return [values.of(model, references)];
    case "trace":
      return [values.of(model, references, trainedWith)];
    default:
      return values satisfies never;
  }
}

/** s/√n, and at least 1/n, one sample: where all agree the next sample may still differ. */
function standardError(values: Float64Array): number {
  const { length } = values;
  return length < 2 ? 0 : Math.max(Math.sqrt(variance(values) / length), 1 / length);
}

/** The mean of several lists, sample by sample. */
function samplewiseMean(lists: readonly Float64Array[]): Float64Array {
  const [first = new Float64Array(0), ...rest] = lists;
  return first.map(
    (value, at) => (value + rest.reduce((sum, list) => sum + (list[at] as number), 0)) / lists.length,
  );
}
