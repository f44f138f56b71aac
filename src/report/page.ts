import { type Html, html, trustedHtml } from "./html.ts";
import { PAGE_STYLE } from "./page-style.ts";

/** A whole report: everything that a reader sees is inside `lead` and `sections`. */
export interface Page {
  readonly title: string;
  /** A line above the title that says what kind of document this is. */
  readonly kind: string;
  /** What stands directly under the title. */
  readonly lead: Html;
  readonly sections: readonly Section[];
  readonly footer: string;
}

/** A part of the page with a heading and a place in the list of contents. */
export interface Section {
  readonly id: string;
  readonly title: string;
  /** Shorter title for the list of contents. */
  readonly shortTitle?: string;
  readonly body: Html;
  /** Printed on a sheet of its own. */
  readonly isOwnPage?: boolean;
}

/**
 * One self-contained HTML document: style inside, no script, nothing fetched (a content security policy forbids
 * it), light and dark, for screens from 320 px and for A4 paper. Void elements are closed, so the document is also
 * well-formed as XML apart from its doctype.
 */
export function renderPage({ title, kind, lead, sections, footer }: Page): string {
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="color-scheme" content="light dark" />
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:" />
<title>${title}</title>
<style>${trustedHtml(PAGE_STYLE)}</style>
</head>
<body>
<header>
<p class="kind">${kind}</p>
<h1>${title}</h1>
${lead}
</header>
<nav aria-label="Contents"><ul>${sections.map(
    ({ id, title, shortTitle }) => html`<li><a href="#${id}">${shortTitle ?? title}</a></li>`,
  )}</ul></nav>
<main>
${sections.map(renderSection)}</main>
<footer><p>${footer}</p></footer>
</body>
</html>
`;
  return document.markup;
}

function renderSection({ id, title, body, isOwnPage }: Section): Html {
  return html`<section id="${id}"${isOwnPage === true && html` class="sheet"`} aria-labelledby="${id}-heading">
<h2 id="${id}-heading">${title}</h2>
${body}
</section>
`;
}
