import { renderBarTable } from "../bar-table.ts";
import { formatCount, formatPercent } from "../format.ts";
import { type Html, html } from "../html.ts";
import { modelSign } from "../model-roles.ts";
import { AUDITED, type AuditedId, auditLegend } from "./audited-model.ts";

/** The three models' accuracy on one part of the test samples. */
interface AccuracyTile extends Readonly<Record<AuditedId, number>> {
  readonly title: string;
  readonly samples: number;
  /** Share of the part's training samples. */
  readonly forgotten: number;
}

/** A tile with three bars for each part of the test samples, under one legend. */
export function renderAccuracyTiles(tiles: readonly AccuracyTile[]): Html {
  return html`${auditLegend()}
<div class="tiles">${tiles.map(({ title, samples, forgotten, ...accuracies }) =>
    renderBarTable({
      title,
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
