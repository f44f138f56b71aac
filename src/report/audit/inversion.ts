import type { InversionEvidence } from "../../audit/evidence/inversion.ts";
import { formatPercent, formatSignificant } from "../format.ts";
import { type Html, html } from "../html.ts";
import { modelLabel } from "../model-roles.ts";
import { renderTable } from "../table.ts";
import { AUDITED, AUDITED_ROLES } from "./audited-model.ts";
import { renderPicture } from "./picture.ts";

/** What comes out when a model is run backwards for the class most of the forgotten samples have. */
export function renderInversion(inversion: InversionEvidence, names: readonly string[]): Html {
  const name = names[inversion.label] ?? String(inversion.label);
  return html`<figure id="figure-inversion" aria-labelledby="figure-inversion-title">
<figcaption><strong id="figure-inversion-title">Drawing the class “${name}” out of the models</strong>
<span>Model inversion: starting from grey, the picture is changed until the model takes it for “${name}” with the greatest certainty. A picture that resembles the forgotten samples more than unseen ones of the class gives them away. That nothing shows is no proof: better attacks may exist.</span></figcaption>
<div class="drawn">${AUDITED.map(
    (
      id,
    ) => html`<div>${renderPicture(inversion[id], `What inversion draws out of the ${AUDITED_ROLES[id].title.toLowerCase()} model for class ${name}`)}
<p>${modelLabel(id === "original" ? "trained" : id, AUDITED_ROLES[id].title)}</p></div>`,
  )}<div>${renderPicture(inversion.mean, `Mean of the forgotten samples of class ${name}`)}
<p>mean of the forgotten</p></div></div>
${renderTable({
  caption: "Likeness of the drawn pictures",
  columns: [
    { title: "Model" },
    { title: "Best correlation with a forgotten sample", numeric: true },
    { title: "with an unseen one", numeric: true },
    { title: "Forgotten is nearer (½: chance)", numeric: true },
  ],
  rows: AUDITED.map((id) => [
    AUDITED_ROLES[id].title,
    formatSignificant(inversion[id].forgetResemblance),
    formatSignificant(inversion[id].unseenResemblance),
    formatPercent(inversion[id].auc),
  ]),
})}</figure>
`;
}
