/**
 * Markup as a value. The only way to make one from text is the {@link html} template, which escapes every
 * interpolated string: a client named `<script>` is shown, never run.
 */
export interface Html {
  readonly markup: string;
}

/** What may stand in a `${}` of {@link html}: nothing is printed for `undefined` and `false`, lists are joined. */
export type HtmlValue = Html | string | number | false | undefined | readonly HtmlValue[];

/**
 * Markup from a template; strings and numbers are escaped for use in text and in double-quoted attributes.
 *
 * @example
 * html`<p title="${name}">${["a", "<b>"].map((item) => html`<i>${item}</i>`)}</p>`
 */
export function html(fragments: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  const pieces = fragments.map((fragment, index) => fragment + markupOf(values[index]));
  return { markup: pieces.join("") };
}

/** Markup taken as it is: only for what a renderer of ours or a trusted library has already escaped. */
export function trustedHtml(markup: string): Html {
  return { markup };
}

/** `text` with the five characters that mean something in HTML replaced. */
function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function markupOf(value: HtmlValue): string {
  if (value === undefined || value === false) return "";
  if (typeof value === "string") return escapeHtml(value);
  if (typeof value === "number") return String(value);
  return "markup" in value ? value.markup : value.map(markupOf).join("");
}
