import { axisX, axisY, dot, gridX, gridY, line } from "@observablehq/plot";
import type { SampleScatter } from "../../audit/evidence/sample-scatter.ts";
import { renderFigure } from "../figure.ts";
import { formatSignificant } from "../format.ts";
import { type Html, html } from "../html.ts";
import { modelLabel } from "../model-roles.ts";
import { renderPlot } from "../plot.ts";
import { AUDITED, AUDITED_ROLES } from "./audited-model.ts";

const SETS = { forget: "Forgotten", retain: "Retained", unseen: "Unseen", test: "Test" } as const;
/** A sample's margin moves by less than this many spreads between two retrained models in 19 of 20. */
const BAND = 2;

/** Each forgotten sample as a dot: on the diagonal a model is as certain of it as models are that never saw it. */
export function renderScatter(scatter: SampleScatter): Html {
  return renderFigure({
    id: "figure-scatter",
    title: "Sample by sample against retrained models",
    note: "Each dot is one forgotten sample: its margin in a model against its mean margin over the retrained models. Between the dashed lines it lies within two spreads of retrained models. What KLoM compares as whole distributions over many unlearned models, for this one.",
    drawing: html`<p class="legend">${modelLabel("trained", "Original")}${modelLabel("unlearned")}</p>${drawing(scatter)}`,
    table: {
      caption:
        "Distance of margins from the mean of retrained models, in their spreads (mean, and 95 of 100 are below)",
      columns: [
        { title: "Samples" },
        ...AUDITED.flatMap((id) => [
          { title: `${AUDITED_ROLES[id].title}, mean`, numeric: true },
          { title: "95%", numeric: true },
        ]),
      ],
      rows: scatter.distances.map((row) => [
        SETS[row.set],
        ...AUDITED.flatMap((id) => [formatSignificant(row[id].mean), formatSignificant(row[id].p95)]),
      ]),
    },
  });
}

function drawing({ points, spread, distances }: SampleScatter): Html {
  const values = points.flatMap(({ retrained, original, unlearned }) => [retrained, original, unlearned]);
  const reduced = (pick: (...all: number[]) => number): number =>
    values.reduce((best, value) => pick(best, value), values[0] ?? 0);
  const [low, high] = [Math.floor(reduced(Math.min)), Math.ceil(reduced(Math.max))];
  const diagonal = (shift: number) => [
    { x: Math.max(low, low - shift), y: Math.max(low, low + shift) },
    { x: Math.min(high, high - shift), y: Math.min(high, high + shift) },
  ];
  const forget = distances.find(({ set }) => set === "forget");
  const ends = { x: "x", y: "y", stroke: "var(--muted)" } as const;
  return renderPlot(
    {
      height: 400,
      marginLeft: 48,
      marginRight: 12,
      marginTop: 30,
      marginBottom: 44,
      x: { domain: [low, high] },
      y: { domain: [low, high] },
      marks: [
        gridX({ ticks: 6, stroke: "var(--line)", strokeOpacity: 1 }),
        gridY({ ticks: 6, stroke: "var(--line)", strokeOpacity: 1 }),
        axisX({ ticks: 6, tickSize: 0, label: "mean margin of retrained models", labelArrow: "none" }),
        axisY({ ticks: 6, tickSize: 0, label: "margin of the model", labelArrow: "none" }),
        line(diagonal(0), ends),
        line(diagonal(BAND * spread), { ...ends, strokeDasharray: "4 3" }),
        line(diagonal(-BAND * spread), { ...ends, strokeDasharray: "4 3" }),
        ...(["original", "unlearned"] as const).map((id) =>
          dot(points, {
            x: "retrained",
            y: id,
            r: 3,
            stroke: AUDITED_ROLES[id].color,
            strokeOpacity: 0.75,
            symbol: AUDITED_ROLES[id].symbol,
          }),
        ),
      ],
    },
    `Forgotten samples lie ${formatSignificant(forget?.unlearned.mean ?? 0)} spreads from retrained models on average in the unlearned model, ${formatSignificant(forget?.original.mean ?? 0)} in the original and ${formatSignificant(forget?.retrained.mean ?? 0)} in a retrained one. Across: mean margin of retrained models; up: margin of the model.`,
  );
}
