import { barX, dot, text } from "@observablehq/plot";
import { mean } from "../metrics/statistics/summary.ts";
import type { Comparison, ComparisonResult } from "../planning/comparison/case.ts";
import { meanComparison } from "../planning/comparison/mean-comparison.ts";
import { renderFigure } from "./figure.ts";
import { type Html, html } from "./html.ts";
import { renderPage } from "./page.ts";
import { renderPlot } from "./plot.ts";
import { renderTable } from "./table.ts";

/** What a comparison page is made of: the document `lethe bench methods` writes. */
export interface ComparisonDocument extends Omit<ComparisonResult, "rows"> {
  readonly case: {
    readonly data: string;
    readonly model: string;
    readonly forget: string;
    readonly seeds: number;
    readonly trials: number;
  };
  readonly counts: { readonly forget: number; readonly retain: number };
  readonly results: ComparisonResult["rows"];
}

/** A method's means over seeds. */
interface Line {
  readonly name: string;
  readonly isReference: boolean;
  readonly figures: Comparison;
  readonly spread: number;
  readonly time?: number;
  readonly gradients?: number;
  readonly klom?: number;
  readonly preparation?: ComparisonResult["rows"][number]["preparation"];
}

const FIGURES = ["ua", "ra", "ta", "mia", "gap", "tow", "towMia", "kl"] as const;
/** Retraining once more stands among the references: it bounds what any method can reach. */
const AGAIN = "retrain";

/** One page that compares methods with retraining: ranking, the trade between closeness and cost, every figure. */
export function comparisonReport(document: ComparisonDocument): string {
  const lines = linesOf(document);
  const methods = lines.filter(({ isReference }) => !isReference);
  const [best] = methods;
  const { data, model, forget, seeds, trials } = document.case;
  return renderPage({
    kind: "Comparison of unlearning methods",
    title: `${forget} of ${data}, ${model}`,
    lead: html`<p>${document.counts.forget} samples are to be forgotten, ${document.counts.retain} stay. Every method is judged by its
distance to a model retrained without them, over ${seeds} ${seeds === 1 ? "seed" : "seeds"}; settings were chosen on held-out data from
${trials} trials each.${best === undefined ? "" : html` Nearest to retraining: <strong>${best.name}</strong>.`}</p>`,
    sections: [
      {
        id: "ranking",
        title: "How near each method comes to retraining",
        shortTitle: "Ranking",
        body: ranking(methods, lines),
      },
      { id: "cost", title: "What it costs", body: cost(methods) },
      { id: "figures", title: "Every figure", body: figures(lines) },
      ...(document.failures.length === 0
        ? []
        : [{ id: "failures", title: "Methods that did not finish", body: failures(document.failures) }]),
    ],
    footer: "Lethe",
  });
}

function linesOf({ results, references, klom }: ComparisonDocument): readonly Line[] {
  const named = [...new Set(results.map(({ method }) => method))].map((method): Line => {
    const own = results.filter((row) => row.method === method);
    const prepared = own.find(({ preparation }) => preparation !== undefined)?.preparation;
    const divergence = klom[method]?.mean;
    return {
      name: method === AGAIN ? "retrained again" : method,
      isReference: method === AGAIN,
      ...meansOf(own.map((row) => row.figures)),
      time: mean(own.map(({ timeShare }) => timeShare)),
      gradients: mean(own.map(({ gradientShare }) => gradientShare)),
      ...(prepared === undefined ? {} : { preparation: prepared }),
      ...(divergence === undefined ? {} : { klom: divergence }),
    };
  });
  const reference = (name: string, role: "original" | "retrained"): Line => ({
    name,
    isReference: true,
    ...meansOf(references.map((entry) => entry[role])),
  });
  const before = klom.trained?.mean;
  return [
    { ...reference("trained model", "original"), ...(before === undefined ? {} : { klom: before }) },
    reference("retrained model", "retrained"),
    ...named.filter(({ isReference }) => isReference),
    ...named.filter(({ isReference }) => !isReference).sort((a, b) => a.figures.gap - b.figures.gap),
  ];
}

function meansOf(list: readonly Comparison[]): { readonly figures: Comparison; readonly spread: number } {
  const figures = meanComparison(list);
  const variance = mean(list.map(({ gap }) => (gap - figures.gap) ** 2));
  return { figures, spread: Math.sqrt(variance) };
}

function ranking(methods: readonly Line[], lines: readonly Line[]): Html {
  const floor = lines.find(({ name }) => name === "retrained again")?.figures.gap ?? 0;
  const rows = methods.map(({ name, figures, spread }) => ({
    name,
    gap: 100 * figures.gap,
    spread: 100 * spread,
  }));
  const nearest = rows[0];
  return renderFigure({
    id: "gap",
    title: "Average gap to retraining, points",
    note: `Shorter is better. Two retrained models differ by ${(100 * floor).toFixed(1)} points, which no method can beat but by luck.`,
    drawing: renderPlot(
      {
        marginLeft: 205,
        height: 24 * rows.length + 50,
        x: { label: "points", grid: true },
        y: { label: null, domain: rows.map(({ name }) => name) },
        marks: [barX(rows, { x: "gap", y: "name", fill: "var(--series-1, currentColor)" })],
      },
      nearest === undefined
        ? "No method finished."
        : `${nearest.name} is nearest with ${nearest.gap.toFixed(1)} points; bars by method, the average gap along the x axis.`,
    ),
    table: {
      caption: "Average gap to retraining",
      columns: [
        { title: "method" },
        { title: "points", numeric: true },
        { title: "spread over seeds", numeric: true },
      ],
      rows: rows.map(({ name, gap, spread }) => [name, gap.toFixed(2), spread.toFixed(2)]),
    },
  });
}

function cost(methods: readonly Line[]): Html {
  const rows = methods.map(({ name, figures, time = 0, gradients = 0, preparation }) => ({
    name,
    gap: 100 * figures.gap,
    time: Math.max(100 * time, 0.1),
    gradients: 100 * gradients,
    // Shared by as many requests as are served from one preparation.
    first: 100 * (time + (preparation?.timeShare ?? 0)),
    tenth: 100 * (time + (preparation?.timeShare ?? 0) / 10),
    stored: preparation === undefined ? "–" : `${(preparation.bytes / 1e6).toFixed(1)} MB`,
  }));
  const isBeaten = (row: (typeof rows)[number]): boolean =>
    rows.some((other) => other.gap < row.gap && other.time < row.time);
  const front = rows.filter((row) => !isBeaten(row));
  return renderFigure({
    id: "trade",
    title: "Closeness against time",
    note: "Towards the lower left is better; named are the methods that no other beats in both. Processor time as a share of one retraining, on a logarithmic scale; preparations are not in it.",
    drawing: renderPlot(
      {
        height: 340,
        marginRight: 90,
        x: { type: "log", label: "time, % of retraining", grid: true },
        y: { label: "gap, points", grid: true },
        marks: [
          dot(rows, { x: "time", y: "gap", fill: "currentColor", r: 4 }),
          text(front, { x: "time", y: "gap", text: "name", textAnchor: "start", dx: 7 }),
        ],
      },
      `${rows.length} methods by time (x) and gap to retraining (y).`,
    ),
    table: {
      caption: "Cost by method",
      columns: [
        { title: "method" },
        { title: "time, % of retraining", numeric: true },
        { title: "sample gradients, %", numeric: true },
        { title: "time with its preparation, %", numeric: true },
        { title: "the same over ten requests, %", numeric: true },
        { title: "stored beforehand" },
      ],
      rows: rows.map((row) => [
        row.name,
        ...[row.time, row.gradients, row.first, row.tenth].map((value) => value.toFixed(1)),
        row.stored,
      ]),
    },
  });
}

function figures(lines: readonly Line[]): Html {
  const titles = {
    ua: "UA",
    ra: "RA",
    ta: "TA",
    mia: "MIA (AUC)",
    gap: "gap",
    tow: "ToW",
    towMia: "ToW-MIA",
    kl: "KL, nats",
  } as const;
  const hasGroups = lines.some(({ figures: own }) => own.worstGroup !== undefined);
  return renderTable({
    caption:
      "Means over seeds; UA is the error on the forget samples, RA and TA the accuracy on retain and test samples, KLoM that of few models",
    columns: [
      { title: "model" },
      ...FIGURES.map((name) => ({ title: titles[name], numeric: true })),
      { title: "KLoM, nats", numeric: true },
      ...(hasGroups ? [{ title: "worst group", numeric: true }] : []),
    ],
    rows: lines.map(({ name, figures: own, klom }) => [
      name,
      ...FIGURES.map((figure) => own[figure].toFixed(3)),
      klom?.toFixed(2) ?? "–",
      ...(hasGroups ? [own.worstGroup?.toFixed(3) ?? "–"] : []),
    ]),
  });
}

function failures(list: ComparisonResult["failures"]): Html {
  return html`<ul>${list.map(({ method, seed, message }) => html`<li><strong>${method}</strong> (seed ${seed + 1}): ${message}</li>`)}</ul>`;
}
