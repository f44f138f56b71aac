import type { AuditReport } from "../audit-report-data.ts";
import { countNoun, formatCount, joinWords } from "../format.ts";
import { type Html, html } from "../html.ts";
import { markOf, renderStamp } from "../stamp.ts";
import { renderTable } from "../table.ts";
import { MEANINGS } from "./verdict.ts";

/** The page has to stay one sheet of paper. */
const MOST_REASONS = 3;

/** One page for whoever answers for the request: what was asked, what was found, what it rests on, what is left to do. */
export function renderOfficer(report: AuditReport): Html {
  const { verdict, requests, data, model, references, controls, digests, reasons } = report;
  const samples = requests.reduce((sum, request) => sum + request.samples, 0);
  const wrong = controls.filter(({ expected, outcome }) => expected !== outcome).length;
  return html`${renderStamp(verdict)}
<dl class="facts">
<dt>Asked</dt><dd>${requests.length === 0 ? "Nothing: no request is recorded." : `To remove the influence of ${countNoun(samples, "training sample")} (${joinWords(requests.map(({ spec }) => spec))}) from a model (${model}) trained on ${data}.`}</dd>
<dt>Done</dt><dd>${requests.length === 0 ? "Nothing." : `Unlearning by ${joinWords([...new Set(requests.map(({ method }) => method))])}; ${references === 0 ? "no model was retrained, and the result was judged by how it treats held-out samples of the same classes" : `the result was compared with ${countNoun(references, "model")} trained from scratch without these samples`}.`}</dd>
<dt>Found</dt><dd>${MEANINGS[verdict]}</dd>
<dt>Why</dt><dd><ul>${reasons.slice(0, MOST_REASONS).map((reason) => html`<li>${reason}</li>`)}${
    reasons.length > MOST_REASONS &&
    html`<li>And ${countNoun(reasons.length - MOST_REASONS, "reason")} more, at the top of this report.</li>`
  }</ul></dd>
<dt>Checked</dt><dd>${controls.length === 0 ? "The comparison was refused before anything was measured." : `${controls.length - wrong} of ${countNoun(controls.length, "control")} came out as they must. Controls are models for which the right answer is known: without them a test that passes everything would look like a success.`}</dd>
<dt>Copies</dt><dd>${copiesOf(report)}</dd>
<dt>Known by</dt><dd>Model <code>${shortened(digests.unlearned)}</code>, made from <code>${shortened(digests.original)}</code>.</dd>
</dl>
${leftoversOf(report)}
<h3>What this does not show</h3>
<ul><li>It shows what can be seen from the model’s answers and from what goes into its last layer, on the samples that were looked at. It does not prove that nothing is left in the weights.</li>
<li>It says nothing about copies of the data elsewhere: backups, logs, checkpoints, models trained from this one.</li>
${references === 0 ? NO_REFERENCES : html`<li>It rests on references trained by the same recipe. If the recipe itself was chosen by looking at the forgotten samples, they share that choice.</li>`}</ul>
<h3>What to do next</h3>
<ul>${nextSteps(report).map((step) => html`<li>${step}</li>`)}</ul>`;
}

function copiesOf({ duplicates }: AuditReport): string {
  if (duplicates === undefined) return "Not looked for.";
  const { exact, forget, near, compared } = duplicates;
  return exact + near === 0
    ? `None of the ${formatCount(forget)} forgotten samples is kept as an exact copy; no near copy among the ${formatCount(compared)} compared.`
    : `${formatCount(exact)} of ${formatCount(forget)} forgotten samples are kept as exact copies, ${formatCount(near)} of ${formatCount(compared)} compared as near ones: what they taught stays.`;
}

function leftoversOf({ leftovers }: AuditReport): Html | false {
  return (
    leftovers !== undefined &&
    renderTable({
      caption: "What else the forgotten samples went into",
      columns: [{ title: "Where" }, { title: "Free of them" }, { title: "Found" }],
      rows: leftovers.map(({ what, saw, words }) => [
        what,
        saw === "unknown" ? "unknown" : markOf(saw === "no"),
        words,
      ]),
    })
  );
}

function nextSteps({ verdict, duplicates, leftovers = [] }: AuditReport): readonly string[] {
  const copies = (duplicates?.exact ?? 0) + (duplicates?.near ?? 0);
  return [
    ...STEPS[verdict],
    ...(copies > 0
      ? ["Decide whether the copies belong to the request; if they do, add them to it and unlearn again."]
      : []),
    ...(leftovers.some(({ saw }) => saw === "yes")
      ? ["Deal with what else saw the forgotten samples (the table above)."]
      : []),
  ];
}

const NO_REFERENCES = html`<li>It does not show how models answer that were trained without the samples. Traces on single samples, which means over all of them hide, are not seen.</li>
<li>It rests on forgotten and held-out samples being as good as drawn from one source. For requests about a whole class, a person or a group they are not, and no verdict better than a refusal is given.</li>
<li>Held-out samples that were looked at when settings were chosen are less unseen than they have to be.</li>`;

const STEPS = {
  pass: [
    "Put the unlearned model into service in place of the original, and delete the original where nothing else requires it.",
  ],
  plausible: [
    "Have the audit repeated with retrained models where the request must be shown to be answered: this word alone is no proof. Where retraining is out of reach, record that, and why.",
  ],
  fail: [
    "Do not answer the request with this model. Unlearn with another method or other settings, or retrain.",
  ],
  refused: [
    "Do not answer the request on the strength of this audit. Provide what the reasons name, and audit again.",
  ],
} as const satisfies Record<AuditReport["verdict"], readonly string[]>;

function shortened(digest: string): string {
  return digest.length > 23 ? `${digest.slice(0, 23)}…` : digest;
}
