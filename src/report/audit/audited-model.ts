import { type Html, html } from "../html.ts";
import { MODEL_ROLES, type ModelRole, modelLabel } from "../model-roles.ts";

/** The kinds of model an audit compares, in reading order. */
export const AUDITED = ["original", "unlearned", "retrained"] as const;

/** One of {@link AUDITED}. */
export type AuditedId = (typeof AUDITED)[number];

/** How each looks: as in every other report, where the original is called the trained model. */
export const AUDITED_ROLES: Readonly<Record<AuditedId, ModelRole>> = {
  original: { ...MODEL_ROLES.trained, title: "Original" },
  unlearned: MODEL_ROLES.unlearned,
  retrained: MODEL_ROLES.retrained,
};

/** The legend of a plot of the three. */
export function auditLegend(): Html {
  return html`<p class="legend">${AUDITED.map((id) =>
    modelLabel(id === "original" ? "trained" : id, AUDITED_ROLES[id].title),
  )}</p>`;
}
