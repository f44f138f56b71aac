import { dot, text } from "@observablehq/plot";
import type { EmbeddingEvidence, MapPoint } from "../../audit/evidence/embedding.ts";
import { renderFigure } from "../figure.ts";
import { formatPercent } from "../format.ts";
import { type Html, html } from "../html.ts";
import { modelLabel } from "../model-roles.ts";
import { renderPlot } from "../plot.ts";
import { AUDITED, AUDITED_ROLES, type AuditedId } from "./audited-model.ts";

const MAPS = { pca: "principal components", umap: "UMAP" } as const;

/** Where each model puts the forgotten samples among the others: two maps of what goes into the last layer. */
export function renderEmbedding(embedding: EmbeddingEvidence, names: readonly string[]): Html {
  const { samples, explained, neighbours } = embedding;
  const forgotten = new Set(samples.filter(({ set }) => set === "forget").map(({ label }) => label));
  return renderFigure({
    id: "figure-embedding",
    title: "A map of what goes into the last layer",
    note: "Each dot is a sample, by principal components (above) and by UMAP (below). Near dots look alike to the model. Each map has axes of its own: compare shapes, not places. Names stand at the middle of their class’s test samples. Where the forgotten samples sit as tight as in the original, and looser in the retrained model, the features still know them.",
    drawing: html`<p class="legend"><span class="key"><span class="sign forgotten" aria-hidden="true">●</span> forgotten</span><span class="key"><span class="sign same" aria-hidden="true">○</span> test, of a class with forgotten samples</span><span class="key"><span class="sign other" aria-hidden="true">·</span> test, other classes</span></p>
<div class="panels maps">${(["pca", "umap"] as const).map((map) =>
      AUDITED.map(
        (
          id,
        ) => html`<div class="panel"><h3>${modelLabel(id === "original" ? "trained" : id, AUDITED_ROLES[id].title)} <span class="muted">${MAPS[map]}</span></h3>
${panel(embedding, map, id, forgotten, names)}</div>`,
      ),
    )}</div>`,
    table: {
      caption: "Share of the ten nearest neighbours, in all dimensions, that are of a sample’s own class",
      columns: [
        { title: "Model" },
        { title: "Forgotten samples", numeric: true },
        { title: "Test samples", numeric: true },
        { title: "Variance on the first map", numeric: true },
      ],
      rows: AUDITED.map((id) => [
        AUDITED_ROLES[id].title,
        formatPercent(neighbours[id].forget),
        formatPercent(neighbours[id].test),
        formatPercent(explained[id]),
      ]),
    },
  });
}

function panel(
  { samples, neighbours, ...maps }: EmbeddingEvidence,
  map: keyof typeof MAPS,
  id: AuditedId,
  forgotten: ReadonlySet<number>,
  names: readonly string[],
): Html {
  const rows = samples.map(({ set, label }, at) => {
    const [x, y] = maps[map][id][at] as MapPoint;
    const kind = set === "forget" ? "forgotten" : forgotten.has(label) ? "same" : "other";
    return { x, y, label, kind, isTest: set === "test" } as const;
  });
  const of = (kind: string) => rows.filter((row) => row.kind === kind);
  const centres = [
    ...Map.groupBy(
      rows.filter(({ isTest }) => isTest),
      ({ label }) => label,
    ),
  ].map(([label, members]) => ({
    x: members.reduce((sum, { x }) => sum + x, 0) / members.length,
    y: members.reduce((sum, { y }) => sum + y, 0) / members.length,
    name: names[label] ?? String(label),
  }));
  const place = { x: "x", y: "y" } as const;
  return renderPlot(
    {
      height: 320,
      margin: 14,
      axis: null,
      marks: [
        dot(of("other"), { ...place, r: 1.8, fill: "var(--muted)", fillOpacity: 0.7 }),
        dot(of("same"), { ...place, r: 3.4, stroke: "var(--ink)", strokeWidth: 1.3 }),
        dot(of("forgotten"), { ...place, r: 3.2, fill: "var(--bad)", fillOpacity: 0.75 }),
        text(centres, {
          ...place,
          text: "name",
          fontSize: 14,
          fontWeight: 600,
          fill: "var(--ink)",
          stroke: "var(--ground)",
          strokeWidth: 4,
        }),
      ],
    },
    `Map by ${MAPS[map]} of the ${AUDITED_ROLES[id].title.toLowerCase()} model’s features: of the nearest neighbours of a forgotten sample ${formatPercent(neighbours[id].forget)} are of its class, of a test sample’s ${formatPercent(neighbours[id].test)}. The axes have no unit.`,
  );
}
