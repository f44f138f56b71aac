import { formatCount, formatRatio, formatSeconds } from "../format.ts";
import { type Html, html } from "../html.ts";
import type { SimulationReport } from "../simulation-report-schema.ts";
import { renderTable } from "../table.ts";

/** What training, unlearning and retraining cost, in time and in work asked of clients. */
export function renderCosts(report: SimulationReport): Html {
  const { seconds, clientRounds, gradientSteps } = report;
  const hasRetrain = [seconds, clientRounds, gradientSteps].some((costs) => costs?.retrain !== undefined);
  const row = (title: string, costs: SimulationReport["clientRounds"], format: (cost: number) => string) => [
    title,
    format(costs.train),
    format(costs.unlearn),
    ...(hasRetrain ? [costs.retrain === undefined ? "–" : format(costs.retrain), savingOf(costs)] : []),
  ];
  return html`${renderTable({
    caption: "Time and work",
    columns: [
      { title: "Cost" },
      { title: "Training", numeric: true },
      { title: "Unlearning", numeric: true },
      ...(hasRetrain
        ? [
            { title: "Retraining", numeric: true },
            { title: "Unlearning saves", numeric: true },
          ]
        : []),
    ],
    rows: [
      row("Time (wall clock)", seconds, formatSeconds),
      row("Client rounds", clientRounds, formatCount),
      ...(gradientSteps === undefined ? [] : [row("Gradient steps", gradientSteps, formatCount)]),
    ],
  })}
<p class="muted">A client round is one client training locally in one round. Here all clients share one machine; across a network, retraining also waits for every client to come back.${seconds.audit !== undefined && ` The audit itself took ${formatSeconds(seconds.audit)}.`}</p>`;
}

function savingOf({ unlearn, retrain }: SimulationReport["clientRounds"]): string {
  if (retrain === undefined) return "–";
  if (unlearn === 0) return retrain === 0 ? "–" : "all of it";
  return retrain > unlearn ? `${formatRatio(retrain, unlearn)} less` : "nothing";
}
