import { type Html, html } from "./html.ts";

/** A small table whose numbers are also drawn as bars: the figure and its table in one. */
export interface BarTable {
  readonly title: string;
  /** A sentence under the bars. */
  readonly note: string;
  readonly rows: readonly BarRow[];
  /** The value that fills the whole track. */
  readonly full: number;
}

/** One bar. */
export interface BarRow {
  readonly label: string | Html;
  /** A colour class of the page's style. */
  readonly role: string;
  readonly value: number;
  readonly text: string;
}

/** The bars as a table of three columns: what, bar, number. A zero shows an empty track. */
export function renderBarTable({ title, note, rows, full }: BarTable): Html {
  return html`<div class="tile"><table class="bars">
<caption>${title}</caption>
<tbody>${rows.map(
    ({ label, role, value, text }) => html`<tr class="${role}"><th scope="row">${label}</th>
<td class="track" aria-hidden="true">${value > 0 && html`<span style="width:${barWidth(value, full)}"></span>`}</td><td class="number">${text}</td></tr>
`,
  )}</tbody></table>
<p>${note}</p></div>
`;
}

function barWidth(value: number, full: number): string {
  return full > 0 ? `${((100 * Math.min(value, full)) / full).toFixed(2)}%` : "0";
}
