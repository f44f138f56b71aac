import type { AuditReport } from "../audit-report-data.ts";
import { countNoun, formatCount, formatSeconds } from "../format.ts";
import { type Html, html } from "../html.ts";
import { renderTable } from "../table.ts";

/** How these figures came about, what they cost, and by which digests to know the models. */
export function renderProvenance(report: AuditReport): Html {
  const { data, model, requests, references, seed, recipe, digests, seconds, machine, versions, duplicates } =
    report;
  const table = renderTable({
    caption: "How this audit was made",
    columns: [{ title: "What" }, { title: "Value" }],
    rows: [
      ["Data", data],
      ["Model", model],
      ...requests.map(
        ({ spec, method, samples }) =>
          [
            "Request",
            html`<code>${spec}</code>, ${countNoun(samples, "sample")}, method <code>${method}</code>`,
          ] as const,
      ),
      ...(duplicates === undefined
        ? []
        : [
            [
              "Copies of forgotten samples that were kept",
              `${formatCount(duplicates.exact)} exact, of ${formatCount(duplicates.forget)}; ${formatCount(duplicates.near)} near, of ${formatCount(duplicates.compared)} compared`,
            ] as const,
          ]),
      [
        "References",
        references === 0
          ? "none retrained: held-out samples of the same classes"
          : `${countNoun(references, "model")} retrained without the samples, other seeds`,
      ],
      ["Seed", String(seed)],
      ["Time", `${formatSeconds(seconds)}; stored references are not trained again`],
      ["Machine", machine],
      ...Object.entries(versions).map(([name, version]) => [name, version] as const),
      ...(digests.data === undefined
        ? []
        : [["Digest of the training part", html`<code>${digests.data}</code>`] as const]),
      ...(digests.forget === undefined
        ? []
        : [["Digest of the forgotten positions", html`<code>${digests.forget}</code>`] as const]),
      ["Digest of the original", html`<code>${digests.original}</code>`],
      ["Digest of the unlearned model", html`<code>${digests.unlearned}</code>`],
      ...digests.retrained.map(
        (digest, index) => [`Digest of reference ${index + 1}`, html`<code>${digest}</code>`] as const,
      ),
    ],
  });
  const configuration = { recipe, ...report.configuration };
  return html`${table}<h3>Full configuration</h3>
<pre class="scroll" tabindex="0">${JSON.stringify(configuration, undefined, 2)}</pre>`;
}
