import type { ClassRow } from "../../audit/evidence/classes.ts";
import { renderBarTable } from "../bar-table.ts";
import { formatCount, formatPercent } from "../format.ts";
import { type Html, html } from "../html.ts";
import { modelSign } from "../model-roles.ts";
import { AUDITED, auditLegend } from "./audited-model.ts";

/** Test accuracy of the three models, class by class: harm that one figure for all classes would hide. */
export function renderClasses(classes: readonly ClassRow[], names: readonly string[]): Html {
  return html`<p>Accuracy on test samples of each class. The retrained bar is the mean over references.</p>
${auditLegend()}
<div class="tiles">${classes.map(({ label, samples, forgotten, ...accuracies }) =>
    renderBarTable({
      title: `Class ${names[label] ?? label}`,
      note: `${formatCount(samples)} test samples; ${forgotten === 0 ? "nothing of it was forgotten" : `${formatPercent(forgotten)} of its training samples were forgotten`}.`,
      full: 1,
      rows: AUDITED.map((id) => ({
        label: modelSign(id === "original" ? "trained" : id),
        role: id === "original" ? "trained" : id,
        value: accuracies[id],
        text: formatPercent(accuracies[id]),
      })),
    }),
  )}</div>`;
}
