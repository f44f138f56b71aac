import type { AuditReport } from "../audit-report-data.ts";
import { countNoun, joinWords } from "../format.ts";
import { type Html, html } from "../html.ts";
import { renderStamp } from "../stamp.ts";

/** The result in one line. */
export function titleOf({ verdict, requests }: AuditReport): string {
  const what = joinWords(requests.map(({ spec }) => spec)) || "nothing";
  switch (verdict) {
    case "pass":
      return `As far as this audit can see, ${what} is gone from the model`;
    case "plausible":
      return `Held-out samples show no trace of ${what}; whether it is gone takes retrained models to say`;
    case "fail":
      return `Removing ${what} did not give a model like one that never saw it`;
    case "refused":
      return `This audit cannot tell whether ${what} was removed`;
    default:
      return verdict satisfies never;
  }
}

/** What a reader meets first: the verdict, the case in plain words, and the reasons. */
export function renderLead(report: AuditReport): Html {
  const { verdict, reasons, notes, requests, references, data, model } = report;
  const samples = requests.reduce((sum, request) => sum + request.samples, 0);
  const methods = joinWords([...new Set(requests.map(({ method }) => method))]);
  return html`${renderStamp(verdict)}
<div class="lead">${requests.length > 0 && html`<p>A model (${model}) trained on ${data} was asked to forget ${countNoun(samples, "sample")} (${joinWords(requests.map(({ spec }) => spec))}), by the method ${methods}. ${references === 0 ? "No model was retrained: this audit compares how the model treats these samples and held-out ones that it never saw, and does the same with models for which the right answer is known." : `This audit compares it with ${countNoun(references, "model")} trained from scratch without these samples, and with models for which the right answer is known.`}</p>`}
<ul class="results">${reasons.map((reason) => line(verdict, reason))}${notes.map((note) => line("note", note))}</ul></div>`;
}

const TONES = {
  pass: { sign: "✓", word: "Good:", color: "good" },
  plausible: { sign: "≈", word: "Plausible:", color: "warn" },
  fail: { sign: "✗", word: "Bad:", color: "bad" },
  refused: { sign: "⊘", word: "Refused:", color: "warn" },
  note: { sign: "–", word: "Note:", color: "warn" },
} as const;

function line(tone: keyof typeof TONES, text: string): Html {
  const { sign, word, color } = TONES[tone];
  return html`<li><span class="${color}"><span aria-hidden="true">${sign}</span><span class="hidden">${word}</span></span><span>${text}</span></li>
`;
}
