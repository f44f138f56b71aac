import { axisX, axisY, dot, gridY, line } from "@observablehq/plot";
import type { LayerRow } from "../../audit/evidence/layers.ts";
import { renderFigure } from "../figure.ts";
import { formatSignificant } from "../format.ts";
import { type Html, html } from "../html.ts";
import { renderPlot } from "../plot.ts";

const LINES = [
  {
    id: "unlearnedToOriginal",
    title: "unlearned and original",
    color: "var(--trained)",
    dash: "none",
    symbol: "circle",
    sign: "●",
  },
  {
    id: "unlearnedToRetrained",
    title: "unlearned and retrained",
    color: "var(--unlearned)",
    dash: "none",
    symbol: "diamond",
    sign: "◆",
  },
  {
    id: "retrainedToRetrained",
    title: "two retrained models",
    color: "var(--retrained)",
    dash: "5 3",
    symbol: "square",
    sign: "■",
  },
] as const;

/** Where in the network the unlearned model still computes what the original did. */
export function renderLayers(layers: readonly LayerRow[]): Html {
  return renderFigure({
    id: "figure-layers",
    title: "Layer by layer: whose features are these?",
    note: "Likeness (linear CKA, 1 is equal up to rotation and scale) of what goes into each layer, from the first to the answers, on forgotten and unseen samples. A model that forgot is about as like a retrained one as two retrained ones are to each other; a layer that is still like the original was hardly touched, which by itself is no fault where the original is as like the retrained ones.",
    drawing: html`<p class="legend">${LINES.map(
      ({ title, color, sign }) =>
        html`<span class="key"><span class="sign" style="color:${color}" aria-hidden="true">${sign}</span> ${title}</span>`,
    )}</p>${drawing(layers)}`,
    table: {
      caption: "Linear CKA by layer",
      columns: [
        { title: "What goes into" },
        ...LINES.map(({ title }) => ({ title, numeric: true })),
        { title: "original and retrained", numeric: true },
      ],
      rows: layers.map((row) => [
        html`<code>${row.layer}</code>`,
        ...LINES.map(({ id }) => formatSignificant(row[id])),
        formatSignificant(row.originalToRetrained),
      ]),
    },
  });
}

function drawing(layers: readonly LayerRow[]): Html {
  const last = layers.at(-1);
  return renderPlot(
    {
      height: 260,
      marginLeft: 44,
      marginRight: 16,
      marginBottom: 44,
      x: { type: "point", domain: layers.map((_, at) => at + 1) },
      y: { domain: [0, 1] },
      marks: [
        gridY({ ticks: 5, stroke: "var(--line)", strokeOpacity: 1 }),
        axisX({
          tickSize: 0,
          label: "layer",
          labelArrow: "none",
          tickFormat: (at: number) => (at === layers.length ? "answers" : String(at)),
        }),
        axisY({ ticks: 5, tickSize: 0, label: null }),
        ...LINES.flatMap(({ id, color, dash, symbol }) => {
          const rows = layers.map((row, at) => ({ at: at + 1, value: row[id] }));
          return [
            line(rows, { x: "at", y: "value", stroke: color, strokeWidth: 2, strokeDasharray: dash }),
            dot(rows, { x: "at", y: "value", fill: color, r: 4, symbol }),
          ];
        }),
      ],
    },
    `In their answers the unlearned model and the original are alike to ${formatSignificant(last?.unlearnedToOriginal ?? 0)}, the unlearned and a retrained model to ${formatSignificant(last?.unlearnedToRetrained ?? 0)}, two retrained models to ${formatSignificant(last?.retrainedToRetrained ?? 0)}. Across: layers; up: likeness from 0 to 1.`,
  );
}
