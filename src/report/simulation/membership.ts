import { axisX, axisY, dot, gridX, ruleX, ruleY } from "@observablehq/plot";
import { renderFigure } from "../figure.ts";
import { formatCount } from "../format.ts";
import { type Html, html } from "../html.ts";
import { MODEL_ROLES, presentModels } from "../model-roles.ts";
import { renderPlot } from "../plot.ts";
import type { SimulationReport } from "../simulation-report-schema.ts";
import { markOf } from "../stamp.ts";
import type { Table } from "../table.ts";

type Membership = NonNullable<SimulationReport["membership"]>;

/** Can an attacker tell that the removed data were used? The three models and the attack's own controls on one scale. */
export function renderMembership(membership: Membership, noun: string): Html {
  const { attack, members, nonMembers, controls } = membership;
  const unmet = controls.filter(({ met }) => !met);
  return html`<p>${attack}: ${formatCount(members)} ${noun} of the removed clients against ${formatCount(nonMembers)} that nobody trained on. ${unmet.length === 0 && sentenceOf(membership)}</p>
${unmet.length > 0 && html`<div class="callout"><p><strong>${unmet.length === 1 ? "A control" : "Controls"} of this test failed:</strong> ${unmet.map(({ title }) => title).join(", ")}. Do not read these figures as evidence.</p></div>`}
${renderFigure({
  id: "figure-membership",
  title: "How well an attacker tells members from strangers",
  note: "Area under the attack’s ROC curve; 50% is guessing (dashed). Whiskers: 95% intervals, where given.",
  drawing: renderIntervals(membership),
  table: tableOf(membership),
})}`;
}

function sentenceOf({ auc }: Membership): string {
  if (auc.retrained === undefined)
    return "Without a retrained model there is nothing to compare the figures with.";
  const gap = (value: number, reference: number) => Math.abs(value - reference);
  const { trained, unlearned, retrained } = auc;
  // Two hundredths of AUC: what retraining with another order of the data moves it by.
  if (gap(trained.value, retrained.value) <= 0.02)
    return "The attack hardly tells the trained model from the retrained one, so it says little about removal either way.";
  return gap(unlearned.value, retrained.value) <= 0.02
    ? "To this attack the unlearned model looks like the retrained one."
    : "To this attack the unlearned model does not look like the retrained one.";
}

interface Row {
  readonly title: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly color: string;
  readonly symbol: "circle" | "diamond" | "square" | "times";
  readonly expectation: string;
  readonly met?: boolean;
}

function rowsOf({ auc, controls }: Membership): readonly Row[] {
  const ends = ({ value, low, high }: Membership["auc"]["trained"]) => ({
    value,
    low: low ?? value,
    high: high ?? value,
  });
  return [
    ...presentModels(auc).map(([id, interval]) => ({
      ...MODEL_ROLES[id],
      ...ends(interval),
      expectation: "",
    })),
    ...controls.map(({ title, auc: interval, expectation, met }) => ({
      title: `Control: ${title}`,
      ...ends(interval),
      color: "var(--ink)",
      symbol: "times" as const,
      expectation,
      met,
    })),
  ];
}

function renderIntervals(membership: Membership): Html {
  const rows = rowsOf(membership);
  const lowest = Math.min(0.4, ...rows.map(({ low }) => low));
  return renderPlot(
    {
      height: 52 + 34 * rows.length,
      marginLeft: 168,
      marginRight: 18,
      marginTop: 6,
      x: { domain: [Math.floor(lowest * 10) / 10, 1], label: null },
      y: { domain: rows.map(({ title }) => title), label: null, type: "band" },
      marks: [
        gridX({ ticks: 5, stroke: "var(--line)", strokeOpacity: 1 }),
        axisX({
          ticks: 5,
          tickSize: 0,
          label: null,
          tickFormat: (value: number) => `${Math.round(value * 100)}%`,
        }),
        axisY({ tickSize: 0, label: null, lineWidth: 12 }),
        ruleX([0.5], { stroke: "var(--muted)", strokeDasharray: "4 3" }),
        ruleY(rows, { y: "title", x1: "low", x2: "high", stroke: "color", strokeWidth: 2 }),
        ...(["circle", "diamond", "square", "times"] as const).map((symbol) =>
          dot(
            rows.filter((row) => row.symbol === symbol),
            {
              x: "value",
              y: "title",
              symbol,
              r: 5,
              ...(symbol === "times" ? { stroke: "color", strokeWidth: 2 } : { fill: "color" }),
            },
          ),
        ),
      ],
      color: { type: "identity" },
    },
    `Area under the attack's ROC curve: ${rows.map(({ title, value }) => `${title} ${formatAuc(value)}`).join("; ")}.`,
  );
}

function tableOf(membership: Membership): Table {
  return {
    caption: "Membership inference",
    columns: [
      { title: "Model or control" },
      { title: "AUC", numeric: true },
      { title: "95% interval", numeric: true },
      { title: "Must be" },
      { title: "As expected" },
    ],
    rows: rowsOf(membership).map(({ title, value, low, high, expectation, met }) => [
      title,
      formatAuc(value),
      low === high ? "–" : `${formatAuc(low)} to ${formatAuc(high)}`,
      expectation,
      met === undefined ? "" : markOf(met),
    ]),
  };
}

function formatAuc(value: number): string {
  return `${(value * 100).toFixed(1)}%`;
}
