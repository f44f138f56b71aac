import { axisX, axisY, gridY, line } from "@observablehq/plot";
import type { AuditEvidence } from "../../audit/evidence.ts";
import { renderFigure } from "../figure.ts";
import { formatPercent, formatSignificant } from "../format.ts";
import { type Html, html } from "../html.ts";
import { renderPlot } from "../plot.ts";
import { AUDITED, AUDITED_ROLES, auditLegend } from "./audited-model.ts";

/** How certain the models are of the forgotten samples: three histograms as outlines on one axis. */
export function renderMargins(margins: AuditEvidence["margins"]): Html {
  const { edges } = margins;
  return renderFigure({
    id: "figure-margins",
    title: "How certain the models are of the forgotten samples",
    note: "The margin is the logit of the true class’s probability: 0 is one in two, 5 is 99.3%. Unlearned and retrained should lie on each other; the retrained outline is the mean over references. Extreme values are counted in the outer bins.",
    drawing: html`${auditLegend()}${drawing(margins)}`,
    table: {
      caption: "Share of forgotten samples by margin",
      columns: [
        { title: "Margin" },
        ...AUDITED.map((id) => ({ title: AUDITED_ROLES[id].title, numeric: true })),
      ],
      rows: edges
        .slice(0, -1)
        .map((edge, bin) => [
          `${formatSignificant(edge)} to ${formatSignificant(edges[bin + 1] as number)}`,
          ...AUDITED.map((id) => formatPercent(margins[id][bin] as number)),
        ]),
    },
  });
}

function drawing(margins: AuditEvidence["margins"]): Html {
  const { edges } = margins;
  const outline = (shares: readonly number[]) => [
    { x: edges[0] as number, y: 0 },
    ...shares.flatMap((share, bin) => [
      { x: edges[bin] as number, y: share },
      { x: edges[bin + 1] as number, y: share },
    ]),
    { x: edges.at(-1) as number, y: 0 },
  ];
  return renderPlot(
    {
      height: 280,
      marginLeft: 48,
      marginRight: 12,
      marginBottom: 44,
      marks: [
        gridY({ ticks: 5, stroke: "var(--line)", strokeOpacity: 1 }),
        axisX({ ticks: 6, tickSize: 4, label: "margin", labelArrow: "none" }),
        axisY({
          ticks: 5,
          tickSize: 0,
          label: null,
          tickFormat: (share: number) => `${Math.round(100 * share)}%`,
        }),
        ...AUDITED.map((id) =>
          line(outline(margins[id]), {
            x: "x",
            y: "y",
            stroke: AUDITED_ROLES[id].color,
            strokeWidth: id === "unlearned" ? 2.6 : 1.8,
            strokeDasharray: AUDITED_ROLES[id].dash,
          }),
        ),
      ],
    },
    `Margins of the forgotten samples: ${AUDITED.map((id) => `${AUDITED_ROLES[id].title.toLowerCase()} model mostly around ${formatSignificant(middleOf(margins, id))}`).join("; ")}.`,
  );
}

/** The middle of the bin in which half of the samples are reached. */
function middleOf(margins: AuditEvidence["margins"], id: (typeof AUDITED)[number]): number {
  let reached = 0;
  const bin = margins[id].findIndex((share) => {
    reached += share;
    return reached >= 0.5;
  });
  const at = Math.max(0, bin);
  return ((margins.edges[at] as number) + (margins.edges[at + 1] as number)) / 2;
}
