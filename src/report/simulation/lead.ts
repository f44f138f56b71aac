import { type Html, html } from "../html.ts";
import type { SimulationReport } from "../simulation-report-schema.ts";
import { renderStamp } from "../stamp.ts";
import type { Findings } from "./findings.ts";
import { renderStory } from "./story.ts";
import { summaryOf } from "./summary.ts";

/** What a reader meets first: the verdict, the run in plain words, and the same as four small pictures. */
export function renderLead(report: SimulationReport, findings: Findings): Html {
  const { story, results } = summaryOf(report, findings);
  return html`${renderStamp(findings.verdict)}
<div class="lead">${story.map((sentence) => html`<p>${sentence}</p>`)}
<ul class="results">${results.map(({ tone, text }) => {
    const { sign, word, color } = TONES[tone];
    return html`<li><span class="${color}"><span aria-hidden="true">${sign}</span><span class="hidden">${word}</span></span><span>${text}</span></li>
`;
  })}</ul></div>
${renderStory(report, findings)}`;
}

const TONES = {
  good: { sign: "✓", word: "Good:", color: "good" },
  bad: { sign: "✗", word: "Bad:", color: "bad" },
  open: { sign: "–", word: "Open:", color: "warn" },
} as const;
