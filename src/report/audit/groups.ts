import type { GroupRow } from "../../audit/evidence/groups.ts";
import { renderBarTable } from "../bar-table.ts";
import { formatCount, formatPercent } from "../format.ts";
import { type Html, html } from "../html.ts";
import { modelSign } from "../model-roles.ts";
import { AUDITED, auditLegend } from "./audited-model.ts";

/** Test accuracy of the three models by group: whether those who stay pay for those who leave. */
export function renderGroups(groups: readonly GroupRow[]): Html {
  return html`<h3>Group by group</h3>
<p>Accuracy on test samples of each group, the largest groups first. The retrained bar is the mean over references.</p>
${auditLegend()}
<div class="tiles">${groups.map(({ group, samples, forgotten, ...accuracies }) =>
    renderBarTable({
      title: group,
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
