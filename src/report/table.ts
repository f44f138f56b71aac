import { type Html, html } from "./html.ts";

/** A table for people and screen readers: a caption, column titles, and rows whose first cell is the row's title. */
export interface Table {
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
}

/** A column of a table. */
export interface Column {
  readonly title: string;
  /** Numbers are set flush right with figures of one width. */
  readonly numeric?: boolean;
}

/** What a cell holds; a text is escaped. */
export type Cell = string | Html;

/** The table as HTML. It scrolls sideways inside its own box where the screen is too narrow. */
export function renderTable({ caption, columns, rows }: Table): Html {
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption>${caption}</caption>
<thead><tr>${columns.map((column) => html`<th scope="col"${alignment(column)}>${column.title}</th>`)}</tr></thead>
<tbody>${rows.map((row) => renderRow(row, columns))}</tbody>
</table></div>`;
}

function renderRow(cells: readonly Cell[], columns: readonly Column[]): Html {
  const [title, ...rest] = cells;
  return html`<tr><th scope="row">${title}</th>${rest.map(
    (cell, index) => html`<td${alignment(columns[index + 1])}>${cell}</td>`,
  )}</tr>
`;
}

function alignment(column: Column | undefined): Html | false {
  return column?.numeric === true && html` class="number"`;
}
