import { type Html, html } from "./html.ts";

const STAMPS = {
  pass: { sign: "✓", text: "Audit passed", tone: "good" },
  plausible: { sign: "≈", text: "Plausible, not passed", tone: "warn" },
  fail: { sign: "✗", text: "Audit failed", tone: "bad" },
  refused: { sign: "⊘", text: "Audit refused", tone: "warn" },
  none: { sign: "–", text: "Not audited", tone: "warn" },
} as const;

/** The verdict as a stamp of few words; its sign repeats what its colour says. */
export function renderStamp(verdict: keyof typeof STAMPS): Html {
  const { sign, text, tone } = STAMPS[verdict];
  return html`<p class="stamp ${tone}"><span aria-hidden="true">${sign}</span> ${text}</p>`;
}

/** A yes or no that does not rest on colour. */
export function markOf(isRight: boolean): Html {
  return isRight ? html`<span class="good">✓ yes</span>` : html`<span class="bad">✗ no</span>`;
}
