import type { GroupRow } from "../../audit/evidence/groups.ts";
import { type Html, html } from "../html.ts";
import { renderAccuracyTiles } from "./accuracy-tiles.ts";

/** Test accuracy of the three models by group: whether those who stay pay for those who leave. */
export function renderGroups(groups: readonly GroupRow[]): Html {
  return html`<h3>Group by group</h3>
<p>Accuracy on test samples of each group, the largest groups first. The retrained bar is the mean over references.</p>
${renderAccuracyTiles(groups.map((row) => ({ ...row, title: row.group })))}`;
}
