import { normalQuantile } from "../../metrics/statistics/normal.ts";
import { mean } from "../../metrics/statistics/summary.ts";
import { hits } from "../measures/accuracy-measures.ts";
import type { ScoredModel } from "../scored-model.ts";
import { type HeldOutMeasure, heldOutMeasures } from "./held-out-measures.ts";

/** A value and the interval of all tests together at 99 %. */
export interface HeldOutValue {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** One row of the table of an audit by held-out samples. */
export interface HeldOutFigure {
  readonly id: string;
  readonly title: string;
  readonly group: "removal" | "features" | "utility";
  /** What a model reads that treats both kinds alike; for the use that is left, the original's value. */
  readonly neutral: number;
  readonly original: HeldOutValue;
  readonly unlearned: HeldOutValue;
  /** Where the unlearned model has to lie. */
  readonly limits: readonly [low: number, high: number];
  readonly passes: boolean;
  /** Whether the original is so far outside that a model inside has lost at least half of what set it apart. */
  readonly tells: boolean;
  /** What a control reads and whether it is inside, by the control's id. */
  readonly controls: Readonly<Record<string, { readonly value: number; readonly passes: boolean }>>;
}

/** The models of an audit by held-out samples. */
export interface HeldOutModels {
  readonly original: ScoredModel;
  readonly unlearned: ScoredModel;
  readonly controls: Readonly<Record<string, ScoredModel>>;
}

/** Chance that a model which treats all samples alike is outside on any test, shared between them by Bonferroni. */
const FAMILY_LEVEL = 0.01;
/** As in the audit by retrained models: inside, at least half of what set the original apart is gone. */
const CLEARANCE = 2;
/**
 * Of the original's accuracy a model may lose this share, or as large a share as that of the samples forgotten where this is more: a model retrained
 * on fewer samples loses some too, and there is none to say how much.
 */
const LEAST_LOSS = 0.05;

/**
 * Every test and what use is left, of all models.
 *
 * @param forgotten - share of the training samples that was to be forgotten
 */
export function heldOutFigures(models: HeldOutModels, forgotten: number): readonly HeldOutFigure[] {
  const measures = heldOutMeasures.filter(
    ({ group }) => group !== "features" || models.original.features !== undefined,
  );
  const reach = normalQuantile(1 - FAMILY_LEVEL / (2 * measures.length));
  const kept = 1 - Math.max(LEAST_LOSS, forgotten);
  return [
    ...measures.map((measure) => testFigure(measure, models, reach)),
    useFigure("ra", "Accuracy on the retained samples", "retain", models, kept),
    useFigure("ta", "Accuracy on test samples", "test", models, kept),
  ];
}

function testFigure(measure: HeldOutMeasure, models: HeldOutModels, reach: number): HeldOutFigure {
  const { id, title, group, neutral, resolution } = measure;
  const read = (model: ScoredModel) => {
    const { value, error } = measure.of(model);
    const tolerance = resolution + reach * error;
    return { value, half: reach * error, tolerance, passes: Math.abs(value - neutral) <= tolerance };
  };
  const [original, unlearned] = [read(models.original), read(models.unlearned)];
  const widest = Math.max(original.tolerance, unlearned.tolerance);
  return {
    id,
    title,
    group,
    neutral,
    original: intervalOf(original),
    unlearned: intervalOf(unlearned),
    limits: [neutral - unlearned.tolerance, neutral + unlearned.tolerance],
    passes: unlearned.passes,
    tells: Math.abs(original.value - neutral) >= CLEARANCE * widest,
    controls: Object.fromEntries(
      Object.entries(models.controls).map(([name, model]) => {
        const { value, passes } = read(model);
        return [name, { value, passes }];
      }),
    ),
  };
}

function intervalOf({ value, half }: { readonly value: number; readonly half: number }): HeldOutValue {
  return { value, low: value - half, high: value + half };
}

/** One-sided: a model that is right more often than the original is no less useful. */
function useFigure(
  id: string,
  title: string,
  set: "retain" | "test",
  { original, unlearned, controls }: HeldOutModels,
  kept: number,
): HeldOutFigure {
  const accuracyOf = (model: ScoredModel): number => mean(hits(model[set]));
  const before = accuracyOf(original);
  const least = kept * before;
  const plain = (value: number): HeldOutValue => ({ value, low: value, high: value });
  const after = accuracyOf(unlearned);
  return {
    id,
    title,
    group: "utility",
    neutral: before,
    original: plain(before),
    unlearned: plain(after),
    limits: [least, 1],
    passes: after >= least,
    tells: false,
    controls: Object.fromEntries(
      Object.entries(controls).map(([name, model]) => {
        const value = accuracyOf(model);
        return [name, { value, passes: value >= least }];
      }),
    ),
  };
}
