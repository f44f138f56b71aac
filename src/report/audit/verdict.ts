import type { AuditReport } from "../audit-report-data.ts";
import { countNoun } from "../format.ts";
import { type Html, html } from "../html.ts";
import { markOf } from "../stamp.ts";
import { renderTable } from "../table.ts";

/** How to read the verdict: why both sides count, and on how many figures a removal shows at all. */
function renderMeaning({ metrics, references }: AuditReport): Html | false {
  // Judged by held-out samples: their own section says how to read them.
  if (references === 0) return false;
  const telling = Object.values(metrics).filter(({ tells }) => tells).length;
  return html`<p>The comparison is two-sided: a model that knows the forgotten samples better than one that never saw them fails, and so does one that knows them worse, since both give away that they were there. ${
    telling > 0 &&
    `On ${countNoun(telling, "figure")} the original model stands clearly apart from the ${references} retrained ones, so that a removal can be seen at all.`
  }</p>`;
}

/** What a verdict says, in plain words. */
export const MEANINGS = {
  pass: "Every figure of the unlearned model lies where the figures of models lie that never saw the samples, and every control came out as it must. As far as this audit can see, the model is one of them.",
  plausible:
    "The model treats the forgotten samples as it treats held-out ones of the same classes that it never saw, and has kept its use; the original does not treat them so. That is weaker than a pass, since no retrained model was there to compare with.",
  fail: "At least one figure of the unlearned model lies outside what a model may show that never saw the samples. The reasons say which, and within what limits it would pass. Unlearn with another method or other settings, or retrain.",
  refused:
    "No verdict is given. The reasons say why; a pass from such a comparison would mean nothing, whatever the model is.",
} as const;

/** Models whose outcome is known, and whether they came out so. */
export function renderControls(report: AuditReport): Html {
  const { controls, metrics, heldOut } = report;
  const wrong = controls.filter(({ expected, outcome }) => expected !== outcome);
  return html`${renderMeaning(report)}<p>${
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
    failed.length > 0 && failed.length === (heldOut ?? Object.keys(metrics)).length
      ? "all figures"
      : failed.join(", ") || "–",
  ]),
})}`;
}
