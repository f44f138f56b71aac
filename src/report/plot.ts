import { type PlotOptions, plot } from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { type Html, html, trustedHtml } from "./html.ts";

/** The width every panel is drawn for: it fills a phone's column, and two stand side by side on a desktop. */
const PANEL_WIDTH = 440;

/**
 * An Observable Plot drawn without a browser, as inline SVG that takes its colours from the page. The same options
 * give the same bytes.
 *
 * @param description What a reader who cannot see the drawing is told: the finding first, then the axes.
 */
export function renderPlot(options: PlotOptions, description: string): Html {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const drawing: { readonly outerHTML: string } = plot({
    width: PANEL_WIDTH,
    document,
    ...options,
    style: { fontSize: "13px", ...(typeof options.style === "object" ? options.style : {}) },
  });
  // Namespaces are implied for SVG inside HTML; the page then holds no address at all. Names of marks ("dot") say nothing to those who are
  // told the description.
  const markup = drawing.outerHTML.replaceAll(/ (?:xmlns(?::\w+)?|aria-\w+)="[^"]*"/g, "");
  return html`<div class="plot" role="img" aria-label="${description}">${trustedHtml(markup)}</div>`;
}
