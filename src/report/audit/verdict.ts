import type { AuditReport } from "../audit-report-data.ts";
import { countNoun } from "../format.ts";
import { type Html, html } from "../html.ts";
import { markOf } from "../stamp.ts";
import { renderTable } from "../table.ts";

/** For the officer: what the verdict supports, what it does not, and what to do next. */
export function renderMeaning({ verdict, metrics, references }: AuditReport): Html {
  const telling = Object.values(metrics).filter(({ tells }) => tells).length;
  return html`<p>${MEANINGS[verdict]}</p>
<p>The comparison is two-sided: a model that knows the forgotten samples better than one that never saw them fails, and so does one that knows them worse, since both give away that they were there. ${
    telling > 0 &&
    `On ${countNoun(telling, "figure")} the original model stands clearly apart from the ${references} retrained ones, so that a removal can be seen at all.`
  }</p>
<ul><li>It shows what can be seen from the model’s answers and from what goes into its last layer, on the samples that were looked at. It does not prove that nothing is left in the weights.</li>
<li>It says nothing about copies of the data elsewhere: backups, logs, checkpoints, models trained from this one.</li>
<li>It rests on references trained by the same recipe. If the recipe itself was chosen by looking at the forgotten samples, they share that choice.</li></ul>`;
}

const MEANINGS = {
  pass: "Every figure of the unlearned model lies where the figures of models lie that never saw the samples, and every control came out as it must. As far as this audit can see, the model is one of them.",
  fail: "At least one figure of the unlearned model lies outside what models show that never saw the samples. The reasons above say which, and within what limits it would pass. Unlearn with another method or other settings, or retrain.",
  refused:
    "No verdict is given. The reasons above say why; a pass from such a comparison would mean nothing, whatever the model is.",
} as const;

/** Models whose outcome is known, and whether they came out so. */
export function renderControls({ controls, metrics }: AuditReport): Html {
  const wrong = controls.filter(({ expected, outcome }) => expected !== outcome);
  return html`<p>${
    wrong.length === 0
      ? `All ${countNoun(controls.length, "control")} came out as they must: in this run the test tells models that forgot from models that did not.`
      : `${wrong.length} of ${countNoun(controls.length, "control")} came out wrong.`
  }</p>
${renderTable({
  caption: "Controls: models for which the right answer is known",
  columns: [
    { title: "Model" },
    { title: "Must" },
    { title: "Did" },
    { title: "As expected" },
    { title: "Outside on" },
  ],
  rows: controls.map(({ title, expected, outcome, failed }) => [
    title,
    expected,
    outcome,
    markOf(expected === outcome),
    failed.length === Object.keys(metrics).length ? "all figures" : failed.join(", ") || "–",
  ]),
})}`;
}
