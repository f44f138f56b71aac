import { renderFigure } from "../figure.ts";
import { formatPercent } from "../format.ts";
import type { Html } from "../html.ts";
import { html } from "../html.ts";
import { MODEL_IDS, modelLegend } from "../model-roles.ts";
import type { SimulationReport } from "../simulation-report-schema.ts";
import type { Table } from "../table.ts";
import { renderRoundPanel } from "./round-panel.ts";

type Series = NonNullable<SimulationReport["series"]>;

const MEASURES = [
  { key: "accuracy", title: "Accuracy" },
  { key: "attackSuccess", title: "Attack success" },
] as const;

/** Accuracy and attack success over the rounds of training and retraining, and after unlearning. */
export function renderRounds(series: Series): Html {
  const measures = MEASURES.filter(({ key }) => series.trained.some((round) => round[key] !== undefined));
  const models = MODEL_IDS.filter((id) => id !== "retrained" || series.retrained !== undefined);
  return renderFigure({
    id: "figure-rounds",
    title: "The global model after each round, and after unlearning",
    note: "Shaded band at the right: the model after unlearning, on the same scale.",
    drawing: html`${modelLegend(models)}
<div class="panels">${measures.map(
      ({ key, title }) =>
        html`<div class="panel"><h3>${title}</h3>${renderRoundPanel(
          {
            trained: curveOf(series.trained, key),
            retrained: curveOf(series.retrained ?? [], key),
            unlearning: series.unlearning.flatMap((point) => {
              const value = point[key];
              return value === undefined ? [] : [{ label: point.label, value }];
            }),
          },
          title,
        )}</div>`,
    )}</div>`,
    table: tableOf(series, measures),
  });
}

type Measure = (typeof MEASURES)[number];

function curveOf(rounds: Series["trained"], key: Measure["key"]) {
  return rounds.flatMap((point) => {
    const value = point[key];
    return value === undefined ? [] : [{ round: point.round, value }];
  });
}

function tableOf(series: Series, measures: readonly Measure[]): Table {
  const retrained = new Map(series.retrained?.map((point) => [point.round, point]));
  const hasRetrained = retrained.size > 0;
  const cell = (value: number | undefined) => (value === undefined ? "–" : formatPercent(value));
  return {
    caption: "Measurements after each round",
    columns: [
      { title: "Round" },
      ...measures.flatMap(({ title }) => [
        { title: `${title}, trained`, numeric: true },
        ...(hasRetrained ? [{ title: `${title}, retrained`, numeric: true }] : []),
      ]),
    ],
    rows: [
      ...series.trained.map((point) => [
        String(point.round),
        ...measures.flatMap(({ key }) => [
          cell(point[key]),
          ...(hasRetrained ? [cell(retrained.get(point.round)?.[key])] : []),
        ]),
      ]),
      ...series.unlearning.map((point) => [
        point.label,
        ...measures.flatMap(({ key }) => [cell(point[key]), ...(hasRetrained ? [""] : [])]),
      ]),
    ],
  };
}
