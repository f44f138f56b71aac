import { countNoun, formatPercent } from "../format.ts";
import { type Html, html } from "../html.ts";
import type { SimulationReport } from "../simulation-report-schema.ts";
import { markOf, renderStamp } from "../stamp.ts";
import { type Cell, renderTable } from "../table.ts";
import type { Findings } from "./findings.ts";

/** The verdict, why, and the controls without which it would mean nothing. */
export function renderVerdict(report: SimulationReport, findings: Findings): Html {
  const { reasons, controls } = report;
  return html`${renderStamp(findings.verdict)}
<p>${meaningOf(report, findings)}</p>
${contradiction(findings)}
${reasons.length > 0 && html`<ul>${reasons.map((reason) => html`<li>${reason}</li>`)}</ul>`}
${controls.length > 0 && renderControls(controls)}
`;
}

function meaningOf({ controls }: SimulationReport, { verdict }: Findings): string {
  const behaved = behaviourOf(controls);
  switch (verdict) {
    case "pass":
      return `Every measurement of the unlearned model lies within the audit’s limits around a retrained one. ${behaved}`;
    case "fail":
      return `The unlearned model differs from a retrained one by more than was allowed. ${behaved}`;
    case "refused":
      return `The audit gives no verdict: it cannot be trusted on this run. ${behaved}`;
    case "none":
      return "No verdict was asked for, or no model was retrained. The figures below stand without a judgement.";
    default:
      return verdict satisfies never;
  }
}

/** What the controls say about the audit itself. */
function behaviourOf(controls: SimulationReport["controls"]): string {
  if (controls.length === 0)
    return "No control was run, so nothing shows that the audit can tell good from bad.";
  const wrong = controls.filter(({ expected, outcome }) => expected !== outcome).length;
  if (wrong > 0) return `${wrong} of ${countNoun(controls.length, "control")} came out wrong.`;
  return `All ${countNoun(controls.length, "control")} came out as they must, so the audit can tell a model that unlearned from one that did not.`;
}

/** A `pass` beside figures outside the tolerances is said aloud rather than smoothed over. */
function contradiction({ verdict, attack, accuracy, removedData }: Findings): Html | false {
  const outside = [
    (attack === "kept" || attack === "weakened") && "attack success",
    accuracy === "lost" && "accuracy",
    removedData === "better known" && "accuracy on the removed data",
  ].filter((name) => name !== false);
  if (verdict !== "pass" || outside.length === 0) return false;
  return html`<div class="callout"><p><strong>The verdict and the figures disagree.</strong> The audit says pass, but ${outside.join(", ")} lie${outside.length === 1 && "s"} outside this report’s tolerance. Believe the figures.</p></div>`;
}

function renderControls(controls: SimulationReport["controls"]): Html {
  const shares = [
    ["Accuracy", "accuracy"],
    ["Attack success", "attackSuccess"],
    ["On removed data", "removedClientAccuracy"],
  ] as const;
  const shown = shares.filter(([, key]) => controls.some((control) => control[key] !== undefined));
  return renderTable({
    caption: "Controls: models for which the right answer is known",
    columns: [
      { title: "Model" },
      { title: "Must" },
      { title: "Did" },
      { title: "As expected" },
      ...shown.map(([title]) => ({ title, numeric: true })),
    ],
    rows: controls.map((control): readonly Cell[] => [
      control.title,
      control.expected,
      control.outcome,
      markOf(control.expected === control.outcome),
      ...shown.map(([, key]) => {
        const value = control[key];
        return value === undefined ? "–" : formatPercent(value);
      }),
    ]),
  });
}
