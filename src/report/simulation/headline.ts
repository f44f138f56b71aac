import { renderBarTable } from "../bar-table.ts";
import {
  formatBytes,
  formatCount,
  formatPercent,
  formatPoints,
  formatRatio,
  formatSeconds,
} from "../format.ts";
import { type Html, html } from "../html.ts";
import { MODEL_ROLES, modelLabel, type OfModels, presentModels } from "../model-roles.ts";
import type { SimulationReport } from "../simulation-report-schema.ts";

/** The figures most people ask for: three of quality for each model, three of cost. */
export function renderHeadline(report: SimulationReport): Html {
  const { accuracy, attackSuccess, removedClientAccuracy, history } = report;
  return html`<div class="tiles">
${renderShares("Accuracy", accuracy, "Clean test images classified right.")}
${attackSuccess !== undefined && renderShares("Attack success", attackSuccess, "Triggered test images sent to the target class.")}
${removedClientAccuracy !== undefined && renderShares("Accuracy on the removed data", removedClientAccuracy, "The removed clients’ own images, true labels.")}
${renderBarTable({
  title: `Storage: ${formatRatio(history.rawBytes, history.storedBytes)} smaller`,
  note: `${formatCount(history.updates)} updates of ${formatCount(history.parameters)} parameters at ${history.bitsPerParameter.toFixed(2)} bits each.`,
  full: Math.max(history.rawBytes, history.storedBytes),
  rows: [
    { label: "float32", role: "retrained", value: history.rawBytes, text: formatBytes(history.rawBytes) },
    { label: "stored", role: "plain", value: history.storedBytes, text: formatBytes(history.storedBytes) },
  ],
})}
${renderCosts("Time", report.seconds, formatSeconds, "Wall clock, simulation of all clients included.")}
${renderCosts("Client rounds", report.clientRounds, formatCount, "Local trainings clients had to do.")}
</div>
`;
}

function renderShares(title: string, shares: OfModels<number>, meaning: string): Html {
  const { unlearned, retrained } = shares;
  const gap =
    retrained === undefined
      ? "No retrained model to compare with."
      : `Unlearned beside retrained: ${formatPoints(unlearned - retrained)}.`;
  return renderBarTable({
    title,
    note: `${meaning} ${gap}`,
    full: 1,
    rows: presentModels(shares).map(([id, value]) => ({
      label: modelLabel(id),
      role: id,
      value,
      text: formatPercent(value),
    })),
  });
}

type Costs = SimulationReport["clientRounds"];

function renderCosts(title: string, costs: Costs, format: (cost: number) => string, note: string): Html {
  const { train, unlearn, retrain } = costs;
  const byModel: OfModels<number> = { trained: train, unlearned: unlearn, retrained: retrain };
  const words = { trained: "to train", unlearned: "to unlearn", retrained: "to retrain" } as const;
  return renderBarTable({
    title,
    note,
    full: Math.max(train, unlearn, retrain ?? 0),
    rows: presentModels(byModel).map(([id, value]) => ({
      label: html`<span class="model ${id}"><span class="sign" aria-hidden="true">${MODEL_ROLES[id].sign}</span> ${words[id]}</span>`,
      role: id,
      value,
      text: format(value),
    })),
  });
}
