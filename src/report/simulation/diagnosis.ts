import { formatPercent } from "../format.ts";
import { type Html, html } from "../html.ts";
import type { SimulationReport } from "../simulation-report-schema.ts";
import { renderTable } from "../table.ts";

type Diagnosis = NonNullable<SimulationReport["diagnosis"]>;

/** What the unlearning rule can tell about its own result without knowing the attack or a retrained model. */
export function renderDiagnosis(diagnosis: Diagnosis, methodTitle: string): Html {
  const { rho, rhoLimit, pi, piLimit, warnings } = diagnosis;
  const isRhoLow = rho < rhoLimit;
  const isPiLow = pi !== undefined && pi < piLimit;
  const isCalm = !isRhoLow && !isPiLow && warnings.length === 0;
  return html`<p>${methodTitle} watches itself, without knowing of an attack or of a retrained model. ${
    isCalm ? "It has nothing to warn of." : html`<strong>It asks for caution.</strong>`
  } This is advice, not a guarantee: on recorded runs it missed some failures and raised false alarms.</p>
${renderTable({
  caption: "Self-diagnosis",
  columns: [
    { title: "Statistic" },
    { title: "Here", numeric: true },
    { title: "Warns below", numeric: true },
    { title: "State" },
  ],
  rows: [
    ["Kept correction, ρ", formatPercent(rho), formatPercent(rhoLimit), stateOf(isRhoLow)],
    ...(pi === undefined
      ? []
      : [["Agreement, π", formatPercent(pi), formatPercent(piLimit), stateOf(isPiLow)]]),
  ],
})}
<p><strong>ρ</strong> is how much of the plain subtraction of the removed updates the rule left standing. When little is left, much of the result rests on the rule’s model of how the other clients had answered.</p>
${
  pi !== undefined &&
  html`<p><strong>π</strong> is how often a cautious and a bold setting of the rule give the same answer on synthetic inputs. When they part, accuracy may have been lost.</p>`
}
${(isRhoLow || isPiLow) && warnings.length === 0 && html`<div class="callout"><p><strong>What to do:</strong> let every kept client train for one short round on the unlearned model, then audit again.</p></div>`}
${warnings.map(
  ({ code, message }) =>
    html`<div class="callout"><p><strong><span aria-hidden="true">⚠</span> ${message}</strong> <code>${code}</code></p></div>
`,
)}`;
}

function stateOf(isLow: boolean): Html {
  return isLow ? html`<span class="warn">⚠ low</span>` : html`<span class="good">✓ fine</span>`;
}
