import type { CostRow } from "../audit-report-data.ts";
import { formatBytes, formatCount, formatPercent, formatSeconds } from "../format.ts";
import { type Html, html } from "../html.ts";
import { renderTable } from "../table.ts";

/** What each piece of work took, beside retraining. */
export function renderCosts(costs: readonly CostRow[], auditSeconds: number): Html {
  const retraining = costs.find(({ what }) => what === "Retraining one reference")?.gradientEvaluations;
  return html`${renderTable({
    caption: "Cost",
    columns: [
      { title: "Work" },
      { title: "Time", numeric: true },
      { title: "Sample gradients", numeric: true },
      { title: "of a retraining", numeric: true },
      { title: "Stored", numeric: true },
    ],
    rows: [
      ...costs.map(({ what, seconds, gradientEvaluations, bytes }) => [
        what,
        seconds === undefined ? "–" : formatSeconds(seconds),
        gradientEvaluations === undefined ? "–" : formatCount(gradientEvaluations),
        gradientEvaluations === undefined || !retraining
          ? "–"
          : formatPercent(gradientEvaluations / retraining),
        bytes === undefined ? "–" : formatBytes(bytes),
      ]),
      ["This audit, all told", formatSeconds(auditSeconds), "–", "–", "–"],
    ],
  })}<p>Sample gradients are samples times backward passes: they compare work on any machine. References that were stored are not trained again, so that an audit’s time depends on what was there.</p>`;
}
