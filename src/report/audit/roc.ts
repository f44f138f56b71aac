import { axisX, axisY, gridX, gridY, line } from "@observablehq/plot";
import type { AuditEvidence } from "../../audit/evidence.ts";
import { renderFigure } from "../figure.ts";
import { formatPercent } from "../format.ts";
import { type Html, html } from "../html.ts";
import { renderPlot } from "../plot.ts";
import { AUDITED, AUDITED_ROLES, auditLegend } from "./audited-model.ts";

type Roc = AuditEvidence["roc"];

/** Rates at which the table reads the curves off. */
const RATES = [0.01, 0.05, 0.1, 0.5] as const;

/** The calibrated membership attack on two logarithmic axes: what matters is whether few members are found without false alarms. */
export function renderRoc(roc: Roc): Html {
  const drawn = AUDITED.filter((id) => roc[id].points.length > 0);
  if (drawn.length === 0) {
    return html`<p>No unseen sample is of a forgotten class, so that this attack has nothing to compare with.</p>`;
  }
  return renderFigure({
    id: "figure-roc",
    title: "Forgotten against unseen samples",
    note: "Share of forgotten samples found against share of unseen ones wrongly accused, both logarithmic, for an attack that knows the retrained models (offline LiRA). The dashed diagonal is guessing. The retrained curve is one reference judged by the others.",
    drawing: html`${auditLegend()}${drawing(roc)}`,
    table: {
      caption: "Forgotten samples found, by false alarms",
      columns: [
        { title: "Model" },
        { title: "Area under the curve", numeric: true },
        ...RATES.map((rate) => ({ title: `at ${formatPercent(rate)}`, numeric: true })),
      ],
      rows: drawn.map((id) => [
        AUDITED_ROLES[id].title,
        formatPercent(roc[id].auc),
        ...RATES.map((rate) =>
          rate < 2 * roc[id].floor ? "too few samples" : formatPercent(rateAt(roc[id], rate)),
        ),
      ]),
    },
  });
}

function rateAt({ points }: Roc["original"], rate: number): number {
  return Math.max(0, ...points.filter(([x]) => x <= rate).map(([, y]) => y));
}

function drawing(roc: Roc): Html {
  const floor = Math.min(...AUDITED.map((id) => roc[id].floor));
  const rows = (id: (typeof AUDITED)[number]) =>
    roc[id].points.map(([x, y]) => ({ x, y: Math.max(floor, y) }));
  const percentTick = (value: number): string => `${Number((100 * value).toPrecision(1))}%`;
  const ticks = [0.001, 0.01, 0.1, 1].filter((tick) => tick >= floor);
  return renderPlot(
    {
      height: 380,
      marginLeft: 52,
      marginRight: 12,
      marginTop: 30,
      marginBottom: 44,
      x: { type: "log", domain: [floor, 1] },
      y: { type: "log", domain: [floor, 1] },
      marks: [
        gridX(ticks, { stroke: "var(--line)", strokeOpacity: 1 }),
        gridY(ticks, { stroke: "var(--line)", strokeOpacity: 1 }),
        axisX(ticks, {
          tickSize: 0,
          tickFormat: percentTick,
          label: "unseen samples accused",
          labelArrow: "none",
        }),
        axisY(ticks, {
          tickSize: 0,
          tickFormat: percentTick,
          label: "forgotten samples found",
          labelArrow: "none",
        }),
        line(
          [
            { x: floor, y: floor },
            { x: 1, y: 1 },
          ],
          { x: "x", y: "y", stroke: "var(--muted)", strokeDasharray: "4 3" },
        ),
        ...AUDITED.map((id) =>
          line(rows(id), {
            x: "x",
            y: "y",
            curve: "step-after",
            stroke: AUDITED_ROLES[id].color,
            strokeWidth: id === "unlearned" ? 2.6 : 1.8,
            strokeDasharray: AUDITED_ROLES[id].dash,
          }),
        ),
      ],
    },
    `Membership attack: ${AUDITED.map((id) => `${AUDITED_ROLES[id].title.toLowerCase()} model, area ${formatPercent(roc[id].auc)}`).join("; ")}. Both axes are logarithmic.`,
  );
}
