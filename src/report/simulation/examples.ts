import { type Html, html } from "../html.ts";
import { MODEL_IDS, modelLegend, modelSign, presentModels } from "../model-roles.ts";
import { encodePng } from "../png.ts";
import type { SimulationReport } from "../simulation-report-schema.ts";

type Examples = NonNullable<SimulationReport["examples"]>;
type Example = Examples["items"][number];

/** Test images with and without the trigger, and what each model takes them for. */
export function renderExamples({ shape, items }: Examples, target: string | undefined): Html {
  const goal = target === undefined ? "" : ` The trigger is meant to make every picture a “${target}”.`;
  return html`<figure id="figure-examples" aria-labelledby="figure-examples-title">
<figcaption><strong id="figure-examples-title">What the trigger does, picture by picture</strong>
<span>The same test images without and with the trigger, and the class each model gives them: ✓ right, ✗ wrong.${goal}</span></figcaption>
${modelLegend(MODEL_IDS.filter((id) => items.some(({ predictions }) => predictions[id] !== undefined)))}
<div class="examples">${items.map((item, index) => renderCard(item, shape, index))}</div>
</figure>
`;
}

function renderCard(example: Example, shape: Examples["shape"], index: number): Html {
  const { label, clean, triggered, predictions } = example;
  return html`<div class="card"><table>
<caption>${index + 1}. Truly “${label}”</caption>
<thead><tr><th scope="col"><span class="hidden">Model</span></th><th scope="col">clean${picture(clean, shape, `Test image of class ${label}`)}</th><th scope="col">triggered${picture(triggered, shape, `The same image with the trigger`)}</th></tr></thead>
<tbody>${presentModels(predictions).map(
    ([id, prediction]) =>
      html`<tr><th scope="row">${modelSign(id)}</th><td>${answer(prediction.clean, label)}</td><td>${answer(prediction.triggered, label)}</td></tr>
`,
  )}</tbody></table></div>
`;
}

function picture(base64: string, [rows, columns]: Examples["shape"], description: string): Html {
  const png = encodePng(Uint8Array.from(Buffer.from(base64, "base64")), columns, rows);
  const source = `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
  return html`<img src="${source}" width="${columns}" height="${rows}" alt="${description}" />`;
}

function answer(predicted: string, label: string): Html {
  return predicted === label
    ? html`${predicted} <span class="good">✓</span>`
    : html`<strong>${predicted}</strong> <span class="bad">✗</span>`;
}
