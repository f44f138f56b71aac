import { type Html, html } from "./html.ts";

/** The three models that every comparison shows, in reading order. */
export const MODEL_IDS = ["trained", "unlearned", "retrained"] as const;

/** One of {@link MODEL_IDS}. */
export type ModelId = (typeof MODEL_IDS)[number];

/** One figure for each of the models; `retrained` is missing where retraining was skipped. */
export type OfModels<Value> = Readonly<Record<"trained" | "unlearned", Value>> & {
  readonly retrained?: Value | undefined;
};

/** How a model looks in every plot and table: its colour never stands alone, a sign and a line style go with it. */
export interface ModelRole {
  readonly title: string;
  /** CSS colour; the page's style defines it for light, dark and print. */
  readonly color: string;
  /** SVG dash pattern of its lines. */
  readonly dash: string;
  readonly symbol: "circle" | "diamond" | "square";
  readonly sign: string;
}

/** Name, colour and sign of each model, the same in every text, table and plot. */
export const MODEL_ROLES: Readonly<Record<ModelId, ModelRole>> = {
  trained: { title: "Trained", color: "var(--trained)", dash: "none", symbol: "circle", sign: "●" },
  unlearned: { title: "Unlearned", color: "var(--unlearned)", dash: "none", symbol: "diamond", sign: "◆" },
  retrained: { title: "Retrained", color: "var(--retrained)", dash: "5 3", symbol: "square", sign: "■" },
};

/** The models that have a figure, each with it, in reading order. */
export function presentModels<Value>(figures: OfModels<Value>): readonly (readonly [ModelId, Value])[] {
  return MODEL_IDS.flatMap((id) => {
    const value = figures[id];
    return value === undefined ? [] : [[id, value] as const];
  });
}

/** A model's sign in its colour, and words: its title unless others are given. */
export function modelLabel(id: ModelId, words = MODEL_ROLES[id].title): Html {
  return html`<span class="model ${id}">${signOf(id)} ${words}</span>`;
}

/** A model's sign alone, for narrow columns with a legend nearby; its title is there for screen readers. */
export function modelSign(id: ModelId, words = MODEL_ROLES[id].title): Html {
  return html`<span class="model ${id}">${signOf(id)}<span class="hidden">${words}</span></span>`;
}

function signOf(id: ModelId): Html {
  return html`<span class="sign" aria-hidden="true">${MODEL_ROLES[id].sign}</span>`;
}

/** The legend of a plot: the models it shows. */
export function modelLegend(ids: readonly ModelId[]): Html {
  return html`<p class="legend">${ids.map((id) => modelLabel(id))}</p>`;
}
