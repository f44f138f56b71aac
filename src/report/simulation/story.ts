import { countNoun, formatBytes, formatPoints, formatRatio, formatSeconds } from "../format.ts";
import { type Html, html } from "../html.ts";
import type { SimulationReport } from "../simulation-report-schema.ts";
import type { Findings } from "./findings.ts";
import { removedNames } from "./title.ts";

/** The run as four small pictures: who trained, what was kept, who removed, and what it is compared with. */
export function renderStory(report: SimulationReport, { serverAlone, compressed }: Findings): Html {
  const { run, history, seconds, clientRounds } = report;
  const leaves = run.removed.length === 1 ? "leaves" : "leave";
  const role = run.attack === undefined ? leaves : "poisoned it";
  return html`<ol class="story">
${step(sketchClients(report), `${countNoun(run.clients, "client")} train`, `${countNoun(run.rounds, "round")}; ${removedNames(report)} ${role}`)}
${step(
  sketchHistory(history.storedBytes / history.rawBytes),
  "The server keeps every update",
  compressed
    ? `${countNoun(history.updates, "update")} in ${formatBytes(history.storedBytes)}, ${formatRatio(history.rawBytes, history.storedBytes)} smaller`
    : `${countNoun(history.updates, "update")} in ${formatBytes(history.storedBytes)}, uncompressed`,
)}
${step(
  sketchRemoval(report),
  serverAlone ? "The server removes, alone" : "The server removes, clients help",
  `${formatSeconds(seconds.unlearn)}, ${clientRounds.unlearn === 0 ? "no client asked" : countNoun(clientRounds.unlearn, "client round")}`,
)}
${step(sketchComparison(report), "Compared with retraining", comparison(report))}
</ol>
`;
}

function step(sketch: Html, title: string, text: string): Html {
  return html`<li><div class="sketch" aria-hidden="true">${sketch}</div><div><strong>${title}</strong><p>${text}</p></div></li>`;
}

function comparison({ accuracy, attackSuccess }: SimulationReport): string {
  if (accuracy.retrained === undefined) return "no model was retrained";
  const gap = `accuracy ${formatPoints(accuracy.unlearned - accuracy.retrained)}`;
  if (attackSuccess?.retrained === undefined) return gap;
  return `${gap}, attack ${formatPoints(attackSuccess.unlearned - attackSuccess.retrained)}`;
}

/** A dot a client, a cross for each removed one; of more clients only the first ones are drawn. */
const MOST_DOTS = 200;

function sketchClients({ run }: SimulationReport): Html {
  return drawClients(run.clients, new Set(run.removed.map(({ client }) => client)), "var(--trained)");
}

function sketchRemoval({ run }: SimulationReport): Html {
  return drawClients(run.clients, new Set(run.removed.map(({ client }) => client)), "none");
}

function drawClients(clients: number, removed: ReadonlySet<number>, removedColor: string): Html {
  const shown = Math.min(clients, MOST_DOTS);
  const columns = Math.ceil(Math.sqrt(shown * 2.2)); // the sketch is about 2.2 times as wide as high
  const rows = Math.ceil(shown / columns);
  return html`<svg viewBox="0 0 ${columns * 12} ${rows * 12}">${Array.from({ length: shown }, (_, client) => {
    const x = (client % columns) * 12 + 6;
    const y = Math.floor(client / columns) * 12 + 6;
    if (!removed.has(client)) return html`<circle cx="${x}" cy="${y}" r="3.6" fill="var(--unlearned)" />`;
    if (removedColor === "none")
      return html`<circle cx="${x}" cy="${y}" r="4" fill="none" stroke="var(--muted)" stroke-dasharray="2 1.6" />`;
    return html`<path d="M${x - 4},${y - 4}l8,8m0,-8l-8,8" stroke="${removedColor}" stroke-width="2.6" fill="none" />`;
  })}</svg>`;
}

function sketchHistory(storedShare: number): Html {
  const width = 1 + 99 * Math.min(1, storedShare);
  return html`<svg viewBox="0 0 100 44"><rect x="0.5" y="4.5" width="99" height="14" fill="none" stroke="var(--muted)" stroke-dasharray="3 2" /><rect x="0" y="25" width="${width.toFixed(2)}" height="15" fill="var(--unlearned)" /></svg>`;
}

function sketchComparison({ accuracy, attackSuccess }: SimulationReport): Html {
  const bars = [
    [accuracy.unlearned, "var(--unlearned)"],
    [accuracy.retrained ?? 0, "var(--retrained)"],
    ...(attackSuccess === undefined
      ? []
      : ([
          [attackSuccess.unlearned, "var(--unlearned)"],
          [attackSuccess.retrained ?? 0, "var(--retrained)"],
        ] as const)),
  ] as const;
  return html`<svg viewBox="0 0 ${bars.length * 16} 44">${bars.map(([value, color], index) => {
    const height = 1 + 40 * value;
    const x = index * 16 + (index % 2 === 0 ? 3 : 0);
    return html`<rect x="${x}" y="${(42 - height).toFixed(2)}" width="12" height="${height.toFixed(2)}" fill="${color}" />`;
  })}</svg>`;
}
