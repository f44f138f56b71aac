import { mean } from "../metrics/statistics/summary.ts";
import type { AuditOutcome } from "./audit.ts";
import type { Figure } from "./figures.ts";
import type { HeldOutFigure } from "./holdout/held-out-figures.ts";
import { floorOf, limitsOf } from "./verdict.ts";

/** One row of the table of an audit. */
export interface MetricRow {
  readonly title: string;
  readonly group: string;
  readonly unit: string;
  readonly original: number;
  readonly unlearned: number;
  /** Mean of the retrained models. */
  readonly retrained: number;
  /** For traces: mean of the models trained with the forget samples. */
  readonly trainedWith?: number;
  /** How far a retrained model is from the mean of the others, on average. */
  readonly floor: number;
  /** 95 % interval of unlearned − retrained, over samples and retrained models. */
  readonly ci: readonly [low: number, high: number];
  /** Where a model has to lie to pass. */
  readonly limits: readonly [low: number, high: number];
  readonly passes: boolean;
  /** Whether the original is so far outside that the figure can show a removal. */
  readonly tells: boolean;
  readonly controls: Readonly<Record<string, number>>;
  /** Of each retrained model, compared with the others; not in documents of version 1. */
  readonly references?: readonly number[] | undefined;
}

/** What `lethe audit --json` writes of an outcome. */
export interface AuditDocument {
  readonly verdict: AuditOutcome["verdict"];
  readonly reasons: readonly string[];
  readonly metrics: Readonly<Record<string, MetricRow>>;
  /** Figures of an audit by held-out samples, in place of `metrics`; since version 3. */
  readonly heldOut?: readonly HeldOutFigure[] | undefined;
  readonly controls: AuditOutcome["controls"];
  readonly notes: readonly string[];
  readonly duplicates?: AuditOutcome["duplicates"] | undefined;
  readonly relearning?: AuditOutcome["relearning"] | undefined;
  readonly manyModels?: AuditOutcome["manyModels"] | undefined;
}

/** An outcome as plain data. */
export function documentOf({
  verdict,
  reasons,
  figures,
  heldOut,
  controls,
  notes,
  duplicates,
  relearning,
  manyModels,
}: AuditOutcome): AuditDocument {
  const telling = controls.find(({ id }) => id === "original")?.failed ?? [];
  return {
    verdict,
    reasons,
    metrics: Object.fromEntries(
      figures.map((figure) => [figure.measure.id, rowOf(figure, figures, telling)]),
    ),
    ...(heldOut === undefined ? {} : { heldOut }),
    controls,
    notes,
    ...(duplicates === undefined ? {} : { duplicates }),
    ...(relearning === undefined ? {} : { relearning }),
    ...(manyModels === undefined ? {} : { manyModels }),
  };
}

function rowOf(figure: Figure, all: readonly Figure[], telling: readonly string[]): MetricRow {
  const { measure, original, unlearned, retrained, trainedWith, ci, controls } = figure;
  const { title, group, unit } = measure;
  const limits = limitsOf(figure, all);
  return {
    title,
    group,
    unit,
    original,
    unlearned,
    retrained: mean(retrained),
    ...(trainedWith === undefined ? {} : { trainedWith: mean(trainedWith) }),
    floor: floorOf(figure),
    ci: [ci.low, ci.high],
    limits,
    passes: unlearned >= limits[0] && unlearned <= limits[1],
    tells: telling.includes(measure.id),
    controls,
    references: retrained,
  };
}
