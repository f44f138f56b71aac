import type { ChangedPicture, PictureEvidence } from "../../audit/evidence/pictures.ts";
import { formatPercent } from "../format.ts";
import { type Html, html } from "../html.ts";
import { modelSign } from "../model-roles.ts";
import { AUDITED, AUDITED_ROLES, auditLegend } from "./audited-model.ts";
import { renderPicture } from "./picture.ts";

/** The samples that unlearning changed most, as pictures, with what each model makes of them. */
export function renderPictures({ forget, test }: PictureEvidence, names: readonly string[]): Html {
  return html`<figure id="figure-pictures" aria-labelledby="figure-pictures-title">
<figcaption><strong id="figure-pictures-title">The samples that changed most</strong>
<span>Those whose margin differs most between the original and the unlearned model: the class each model gives them, and the probability of the true class. The retrained model is the first reference.</span></figcaption>
${auditLegend()}
<h3>Forgotten</h3><div class="examples changed">${forget.map((picture, at) => card(picture, at, "Forgotten sample", names))}</div>
<h3>Test: side effects</h3><div class="examples changed">${test.map((picture, at) => card(picture, at, "Test sample", names))}</div>
</figure>
`;
}

function card(picture: ChangedPicture, index: number, kind: string, names: readonly string[]): Html {
  const truth = names[picture.label] ?? String(picture.label);
  return html`<div class="card"><table>
<caption>${index + 1}. Truly “${truth}”${renderPicture(picture, `${kind} ${index + 1} of class ${truth}`)}</caption>
<thead class="hidden"><tr><th scope="col">Model</th><th scope="col">Answer</th><th scope="col">Probability of ${truth}</th></tr></thead>
<tbody>${AUDITED.map((id) => {
    const { label, probability } = picture.answers[id];
    const isRight = label === picture.label;
    return html`<tr><th scope="row">${modelSign(id === "original" ? "trained" : id, AUDITED_ROLES[id].title)}</th><td>${names[label] ?? label} <span class="${isRight ? "good" : "bad"}">${isRight ? "✓" : "✗"}</span></td><td class="number">${formatPercent(probability)}</td></tr>
`;
  })}</tbody></table></div>
`;
}
