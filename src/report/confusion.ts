import { formatCount, formatPercent } from "./format.ts";
import { type Html, html } from "./html.ts";
import { MODEL_ROLES, type ModelId, modelLabel, type OfModels, presentModels } from "./model-roles.ts";

/** Confusion matrices of one set of samples. */
export interface Confusion {
  readonly title: string;
  readonly classes: readonly string[];
  /** Counts [true class, answer]. */
  readonly matrices: OfModels<readonly (readonly number[])[]>;
  /** What the models are called where not as usual. */
  readonly names?: Readonly<Partial<Record<ModelId, string>>>;
}

/** Confusion matrices side by side. They are tables already: shaded by share of the row, each cell in whole percent. */
export function renderConfusion({ title, classes, matrices, names = {} }: Confusion, index: number): Html {
  const id = `figure-confusion-${index + 1}`;
  return html`<figure id="${id}" aria-labelledby="${id}-title">
<figcaption><strong id="${id}-title">Confusion: ${title}</strong>
<span>Rows: true class. Columns: the model’s answer. Cells: percent of the row; the diagonal is right, anything beside it is an error. Empty: less than half a percent.</span></figcaption>
<div class="panels matrices">${presentModels(matrices).map(
    ([
      model,
      matrix,
    ]) => html`<div class="panel matrix${classes.some(({ length }) => length > 3) && " long"}"><table aria-label="${title}: ${names[model] ?? MODEL_ROLES[model].title}">
<caption>${modelLabel(model, names[model] ?? MODEL_ROLES[model].title)} <span class="muted">${errorsOf(matrix)}</span></caption>
<thead><tr><td></td>${classes.map((name) => html`<th scope="col"><span>${name}</span></th>`)}</tr></thead>
<tbody>${matrix.map(
      (
        row,
        at,
      ) => html`<tr><th scope="row">${classes[at]}</th>${row.map((count, column) => cell(count, sum(row), column === at))}</tr>
`,
    )}</tbody></table></div>`,
  )}</div>
</figure>
`;
}

function cell(count: number, total: number, isRight: boolean): Html {
  const share = total === 0 ? 0 : count / total;
  const percent = Math.round(share * 100);
  // The square root lifts small errors into sight; the number tells the true size.
  const shade = percent === 0 ? 0 : Math.round(Math.sqrt(share) * 100) / 100;
  const classNames = [isRight ? "" : "wrong", shade > STRONG_SHADE ? "strong" : ""].filter(Boolean).join(" ");
  return html`<td class="${classNames}" style="--v:${shade}" title="${formatCount(count)} of ${formatCount(total)}">${percent === 0 ? "" : percent}</td>`;
}

/** Above this shade the text changes from dark to light (in the dark scheme the other way): contrast stays above 4.5. */
const STRONG_SHADE = 0.72;

function errorsOf(matrix: readonly (readonly number[])[]): string {
  const all = sum(matrix.map(sum));
  const right = sum(matrix.map((row, at) => row[at] ?? 0));
  return all === 0 ? "nothing to count" : `${formatPercent(right / all)} right of ${formatCount(all)}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
