import { type Html, html } from "./html.ts";
import { renderTable, type Table } from "./table.ts";

/** A drawing with its title, a sentence on how to read it, and the same figures as a table. */
export interface Figure {
  readonly id: string;
  readonly title: string;
  readonly note: string | Html;
  readonly drawing: Html;
  /** The figures of the drawing; nobody has to read them off a plot. */
  readonly table: Table;
}

/** The figure as HTML; its table is folded on a screen and opened in print. */
export function renderFigure({ id, title, note, drawing, table }: Figure): Html {
  return html`<figure id="${id}" aria-labelledby="${id}-title">
<figcaption><strong id="${id}-title">${title}</strong> <span>${note}</span></figcaption>
${drawing}
<details><summary>The figures as a table</summary>${renderTable(table)}</details>
</figure>
`;
}
