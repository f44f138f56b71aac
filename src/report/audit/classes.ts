import type { ClassRow } from "../../audit/evidence/classes.ts";
import { type Html, html } from "../html.ts";
import { renderAccuracyTiles } from "./accuracy-tiles.ts";

/** Test accuracy of the three models, class by class: harm that one figure for all classes would hide. */
export function renderClasses(classes: readonly ClassRow[], names: readonly string[]): Html {
  return html`<p>Accuracy on test samples of each class. The retrained bar is the mean over references.</p>
${renderAccuracyTiles(classes.map((row) => ({ ...row, title: `Class ${names[row.label] ?? row.label}` })))}`;
}
