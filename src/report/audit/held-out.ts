import { axisX, axisY, dot, gridX, link, ruleX } from "@observablehq/plot";
import type { HeldOutFigure, HeldOutValue } from "../../audit/holdout/held-out-figures.ts";
import { renderFigure } from "../figure.ts";
import { formatPercent, formatSignificant } from "../format.ts";
import { type Html, html } from "../html.ts";
import { modelLabel } from "../model-roles.ts";
import { renderPlot } from "../plot.ts";
import { markOf } from "../stamp.ts";
import { renderTable } from "../table.ts";
import { AUDITED_ROLES } from "./audited-model.ts";

const SHOWN = ["original", "unlearned"] as const;

/** Forgotten against held-out samples: every test with its interval, and what use is left. */
export function renderHeldOut(figures: readonly HeldOutFigure[]): Html {
  const tests = figures.filter(({ group }) => group !== "utility");
  const uses = figures.filter(({ group }) => group === "utility");
  return html`<p>No model was retrained. A model that saw neither the forgotten nor the held-out samples treats both alike, whatever else it does: forgotten samples that are known better were not forgotten, and those known worse were pushed away, which betrays them too. Classes are compared with themselves alone.</p>
${renderFigure({
  id: "figure-held-out",
  title: "How far the forgotten samples stand apart",
  note: "Distance from what a model reads that treats forgotten and held-out samples alike, which is the line at 0: a half for areas under a curve, nothing for differences. Bars are intervals of all rows together at 99%.",
  drawing: html`<p class="legend">${modelLabel("trained", "Original")}${modelLabel("unlearned")}</p>${drawing(tests)}`,
  table: {
    caption: "Forgotten against held-out samples",
    columns: [
      { title: "Figure" },
      { title: "Alike", numeric: true },
      { title: "Original", numeric: true },
      { title: "Unlearned", numeric: true },
      { title: "Limits", numeric: true },
      { title: "Within" },
      { title: "Tells" },
    ],
    rows: tests.map(({ id, title, neutral, original, unlearned, limits, passes, tells }) => [
      html`${title} <code>${id}</code>`,
      formatSignificant(neutral),
      written(original),
      written(unlearned),
      `${formatSignificant(limits[0])} to ${formatSignificant(limits[1])}`,
      markOf(passes),
      tells ? "yes" : "–",
    ]),
  },
})}
${renderTable({
  caption: "Use that is left",
  columns: [
    { title: "Figure" },
    { title: "Original", numeric: true },
    { title: "Unlearned", numeric: true },
    { title: "At least", numeric: true },
    { title: "Kept" },
  ],
  rows: uses.map(({ id, title, original, unlearned, limits, passes }) => [
    html`${title} <code>${id}</code>`,
    formatPercent(original.value),
    formatPercent(unlearned.value),
    formatPercent(limits[0]),
    markOf(passes),
  ]),
})}`;
}

function written({ value, low, high }: HeldOutValue): string {
  return `${formatSignificant(value)} (${formatSignificant(low)} to ${formatSignificant(high)})`;
}

/** Rows are short names: their sentences are in the table. */
function drawing(tests: readonly HeldOutFigure[]): Html {
  const nameOf = ({ id }: HeldOutFigure): string => id.replace("held-out-", "");
  const rows = SHOWN.map((model) =>
    tests.map((figure) => ({
      name: nameOf(figure),
      value: figure[model].value - figure.neutral,
      low: figure[model].low - figure.neutral,
      high: figure[model].high - figure.neutral,
    })),
  );
  const farthest = Math.max(...rows.flat().flatMap(({ low, high }) => [Math.abs(low), Math.abs(high)]));
  return renderPlot(
    {
      height: 60 + 44 * tests.length,
      marginLeft: 84,
      marginRight: 12,
      marginTop: 8,
      marginBottom: 44,
      x: { domain: [-farthest, farthest] },
      y: { type: "point", domain: tests.map(nameOf), padding: 0.6 },
      marks: [
        gridX({ ticks: 6, stroke: "var(--line)", strokeOpacity: 1 }),
        ruleX([0], { stroke: "var(--muted)", strokeDasharray: "4 3" }),
        axisX({
          ticks: 6,
          tickSize: 0,
          label: "lower ← alike → higher",
          labelArrow: "none",
          labelAnchor: "center",
        }),
        axisY({ tickSize: 0, label: null }),
        ...SHOWN.flatMap((model, at) => {
          const { color, symbol } = AUDITED_ROLES[model];
          // One above the other, so that no interval hides the other.
          const dy = at === 0 ? -7 : 7;
          return [
            link(rows[at] ?? [], { x1: "low", x2: "high", y: "name", dy, stroke: color, strokeWidth: 2 }),
            dot(rows[at] ?? [], { x: "value", y: "name", dy, fill: color, r: 4.5, symbol }),
          ];
        }),
      ],
    },
    `Distance from alike: ${tests.map((figure) => `${nameOf(figure)}, original ${formatSignificant(figure.original.value - figure.neutral)}, unlearned ${formatSignificant(figure.unlearned.value - figure.neutral)}`).join("; ")}.`,
  );
}
