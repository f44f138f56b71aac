import type { ManyModelsFigure } from "../../audit/many-models.ts";
import type { Relearning } from "../../audit/relearning.ts";
import { mean } from "../../metrics/statistics/summary.ts";
import { type BarRow, renderBarTable } from "../bar-table.ts";
import { countNoun, formatCount, formatPercent, formatPoints, formatSignificant } from "../format.ts";
import { type Html, html } from "../html.ts";
import { modelSign } from "../model-roles.ts";
import { renderTable } from "../table.ts";
import { AUDITED, AUDITED_ROLES, type AuditedId, auditLegend } from "./audited-model.ts";

/** How fast the forgotten samples are learnt again: what is learnt at once was still there. */
export function renderRelearning({ steps, anamnesis, cap }: Relearning): Html {
  const values = { ...steps, retrained: mean(steps.retrained) };
  const write = (value: number): string =>
    value >= cap
      ? `not in ${formatCount(cap)}`
      : Number.isInteger(value)
        ? formatCount(value)
        : formatSignificant(value);
  return html`<p>Each model is trained on the forgotten samples alone until it knows them nearly as well as the original did (95% of its accuracy), or is given up after ${countNoun(cap, "step")}. A model that is much faster than a retrained one had kept something of them, even where its answers do not show it. The anamnesis index is the unlearned model’s steps as a multiple of the retrained ones’: 1 is like retrained, near 0 most was left, far above 1 pushed away. Here it is <strong>${formatSignificant(anamnesis)}</strong>. It takes no part in the verdict.</p>
${auditLegend()}
<div class="tiles">${renderBarTable({
    title: "Steps until known again",
    note: `The retrained bar is the mean over ${countNoun(steps.retrained.length, "model")}: ${steps.retrained.map(write).join(", ")}.`,
    full: Math.max(1, ...Object.values(values)),
    rows: barsOf(values, write),
  })}</div>`;
}

const SETS = { forget: "forgotten samples", retain: "retained samples", unseen: "unseen samples" } as const;

/** What each figure of {@link ManyModelsFigure} means, in a sentence. */
const ATTACKS = {
  "u-lira": {
    title: "Can unlearned models be told from retrained ones, sample by sample? (U-LiRA)",
    note: "The share of models an attacker sorts rightly who knows both kinds: 50% is guessing. The retrained bar is one half of the retrained models against the other. On retained samples it shows whether unlearning gave away those who stay.",
  },
  klom: {
    title: "How far are the margins of unlearned models from those of retrained ones? (KLoM)",
    note: "Divergence of each sample’s margins over models, 0 is alike. The retrained bar is the floor that so few models leave.",
  },
  "forgetting-quality": {
    title: "The score of the NeurIPS 2023 competition",
    note: "From 0 to 1, higher is better; the retrained bar is what one half of the retrained models scores against the other.",
  },
} as const satisfies Record<ManyModelsFigure["id"], { readonly title: string; readonly note: string }>;

/** What the method does to many models, where one could be lucky: every attack as bars, and all figures as a table. */
export function renderManyModels(figures: readonly ManyModelsFigure[]): Html {
  const ids = (Object.keys(ATTACKS) as ManyModelsFigure["id"][]).filter((id) =>
    figures.some((figure) => figure.id === id),
  );
  return html`<p>Many originals were trained from other seeds and unlearned by the same method, and as many models retrained. These figures judge the method on this request and not the one model; they take no part in the verdict.</p>
${auditLegend()}
${ids.map((id) =>
  renderAttack(
    id,
    figures.filter((figure) => figure.id === id),
  ),
)}
${renderTable({
  caption: "All figures over many models",
  columns: [
    { title: "Figure" },
    { title: "Samples" },
    ...AUDITED.map((model) => ({ title: AUDITED_ROLES[model].title, numeric: true })),
  ],
  rows: figures.map((figure) => [
    figure.title,
    SETS[figure.set],
    ...AUDITED.map((model) => writerOf(figure.id)(figure[model])),
  ]),
})}`;
}

function renderAttack(id: ManyModelsFigure["id"], figures: readonly ManyModelsFigure[]): Html {
  const { title, note } = ATTACKS[id];
  const full =
    id === "klom" ? Math.max(...figures.flatMap((figure) => AUDITED.map((model) => figure[model]))) : 1;
  return html`<h3>${title}</h3><p>${note}</p>
<div class="tiles">${figures.map((figure) =>
    renderBarTable({
      title: `${figure.title}, ${SETS[figure.set]}`,
      note: distanceOf(figure),
      full,
      rows: barsOf(figure, writerOf(id)),
    }),
  )}</div>`;
}

/** How far the method is from retraining: nothing, where it removes what it was to remove and no more. */
function distanceOf({ id, unlearned, retrained }: ManyModelsFigure): string {
  const difference = unlearned - retrained;
  return `Unlearned less retrained: ${id === "u-lira" ? formatPoints(difference) : formatSignificant(difference)}.`;
}

function writerOf(id: ManyModelsFigure["id"]): (value: number) => string {
  return id === "u-lira" ? formatPercent : formatSignificant;
}

function barsOf(
  values: Readonly<Record<AuditedId, number>>,
  write: (value: number) => string,
): readonly BarRow[] {
  return AUDITED.map((id) => {
    const role = id === "original" ? "trained" : id;
    return { label: modelSign(role), role, value: values[id], text: write(values[id]) };
  });
}
