import { openModel } from "../../audit/farm/training-job.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import { klomNormal } from "../../metrics/klom-normal.ts";
import { margins } from "../../metrics/margins.ts";
import { createPredictor } from "../../training/predictor.ts";
import type { Comparison, ComparisonPlan, ComparisonResult, ComparisonRow, Figures } from "./case.ts";
import type { FinishedCell } from "./cell-store.ts";
import { type CaseScores, compareWith, figuresOf, type JudgedSamples, scoresOn } from "./figures.ts";
import { CELL_RUNTIME, type Cell } from "./run-cell.ts";
import type { RanCell } from "./run-cells.ts";

/** What every cost is a share of; run in every comparison, as a third retrained model. */
export const YARDSTICK = "retrain";

/** The models of a comparison that no method made. */
interface TrainedModels {
  /** One a seed. */
  readonly originals: readonly ParameterSet[];
  /** Retrained without the forget samples: one a seed, and further ones. */
  readonly oracles: readonly ParameterSet[];
}

/** Holds every cell's model against the retrained one of its seed, and its margins against those of all retrained models. */
export async function judgeCells(
  plan: ComparisonPlan,
  { originals, oracles }: TrainedModels,
  cells: readonly RanCell[],
): Promise<Omit<ComparisonResult, "failures">> {
  const architecture = openModel(plan.model);
  await using predictor = await createPredictor(architecture, CELL_RUNTIME);
  const judged: JudgedSamples = {
    classes: architecture.classes,
    forgetClasses: plan.forgetClasses,
    forget: plan.parts.train.subset(plan.forget),
    retain: plan.parts.train.subset(plan.retain),
    test: plan.parts.test,
  };
  const onForget = { labels: judged.forget.labels, classes: judged.classes };
  const retrained: Retrained[] = [];
  for (const weights of oracles.slice(0, plan.seeds)) {
    const scores = await scoresOn(judged, predictor, weights);
    retrained.push({ scores, figures: figuresOf(judged, scores) });
  }
  const tables = new Map<string, Float64Array[]>();
  const judge = async (name: string, seed: number, weights: ParameterSet): Promise<Comparison> => {
    const scores = await scoresOn(judged, predictor, weights);
    tables.set(name, [...(tables.get(name) ?? []), margins({ ...onForget, logits: scores.forget })]);
    return compareWith(judged, scores, retrained[seed] as Retrained);
  };
  const oracleMargins: Float64Array[] = [];
  for (const weights of oracles) {
    oracleMargins.push(margins({ ...onForget, logits: await predictor.logitsOf(weights, judged.forget) }));
  }
  const references: ComparisonResult["references"][number][] = [];
  for (const [seed, own] of retrained.entries()) {
    references.push({
      seed,
      original: await judge("trained", seed, originals[seed] as ParameterSet),
      retrained: compareWith(judged, own.scores, own),
    });
  }
  const rows: ComparisonRow[] = [];
  for (const { cell, finished } of cells) {
    const figures = await judge(cell.method, cell.seed, finished.weights);
    const yardstick = cells.find((other) => other.cell.method === YARDSTICK && other.cell.seed === cell.seed);
    rows.push(rowOf(cell, finished, figures, yardstick?.finished));
  }
  const klom = Object.fromEntries(
    [...tables].map(([name, table]) => [name, klomNormal(table, oracleMargins)]),
  );
  return { rows, references, klom };
}

/** A retrained model's scores and figures: what others are held against. */
interface Retrained {
  readonly scores: CaseScores;
  readonly figures: Figures;
}

function rowOf(
  { method, seed }: Cell,
  { weights: _, preparation, stop, ...facts }: FinishedCell,
  figures: Comparison,
  { seconds, gradientEvaluations }: Pick<FinishedCell, "seconds" | "gradientEvaluations"> = NOTHING,
): ComparisonRow {
  return {
    method,
    seed,
    ...facts,
    figures,
    timeShare: facts.seconds / seconds,
    gradientShare: facts.gradientEvaluations / gradientEvaluations,
    ...(preparation && { preparation: { ...preparation, timeShare: preparation.seconds / seconds } }),
    ...(stop === undefined ? {} : { stop }),
  };
}

/** Where retraining itself failed nothing is a share of it. */
const NOTHING = { seconds: Number.NaN, gradientEvaluations: Number.NaN } as const;
