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
import { modelLabel, type OfModels, presentModels } from "../model-roles.ts";
import { wilsonInterval } from "../proportion-interval.ts";
import type { SimulationReport } from "../simulation-report-schema.ts";
import { attackMeaning } from "./attack-words.ts";

/** The figures most people ask for: three of quality for each model, three of cost. */
export function renderHeadline(report: SimulationReport): Html {
  const { history } = report;
  return html`<div class="tiles">
${SHARES.map(({ key, title, meaning }) => {
  const shares = report[key];
  return shares && renderShares(title, shares, meaning(report), report.sampleSizes[key], report.run.samples);
})}
${renderBarTable({
  title:
    history.storedBytes < history.rawBytes
      ? `Storage: ${formatRatio(history.rawBytes, history.storedBytes)} smaller`
      : "Storage: not compressed",
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

const SHARES = [
  {
    key: "accuracy",
    title: "Accuracy",
    meaning: ({ run }: SimulationReport) => `Clean test ${run.samples} classified right.`,
  },
  { key: "attackSuccess", title: "Attack success", meaning: attackMeaning },
  {
    key: "removedClientAccuracy",
    title: "Accuracy on removed data",
    meaning: ({ run }: SimulationReport) => `The removed clients’ own ${run.samples}, true labels.`,
  },
] as const;

function renderShares(
  title: string,
  shares: OfModels<number>,
  meaning: string,
  count: number | undefined,
  noun: string,
): Html {
  const { unlearned, retrained } = shares;
  const gap =
    retrained === undefined
      ? "No retrained model to compare with."
      : `Unlearned beside retrained: ${formatPoints(unlearned - retrained)}.`;
  return renderBarTable({
    title,
    note: [meaning, gap, ...intervalOf(unlearned, count, noun)].join(" "),
    full: 1,
    rows: presentModels(shares).map(([id, value]) => ({
      label: modelLabel(id),
      role: id,
      value,
      text: formatPercent(value),
    })),
  });
}

function intervalOf(share: number, count: number | undefined, noun: string): readonly string[] {
  if (count === undefined) return [];
  const { low, high } = wilsonInterval(share, count);
  return [`95% interval ${formatPercent(low)} to ${formatPercent(high)} (${formatCount(count)} ${noun}).`];
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
      label: modelLabel(id, words[id]),
      role: id,
      value,
      text: format(value),
    })),
  });
}
