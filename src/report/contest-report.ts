import { dot, gridX, gridY, link, ruleX, ruleY, text } from "@observablehq/plot";
import type { Contest, Contestant, ContestFigure, Estimate } from "./contest/contest.ts";
import { renderFigure } from "./figure.ts";
import { formatPercent, formatSignificant, joinWords } from "./format.ts";
import { type Html, html } from "./html.ts";
import { renderPage } from "./page.ts";
import { renderPlot } from "./plot.ts";
import { renderTable } from "./table.ts";

/** Several methods on one page: ranking with intervals, forgetting against use against cost, every figure, and what is mere noise. */
export function renderContest(contest: Contest): string {
  const { contestants, lead, title } = contest;
  const [best] = contestants;
  return renderPage({
    kind: "Lethe · methods compared",
    title,
    lead: html`<div class="lead">${lead.map((sentence) => html`<p>${sentence}</p>`)}${
      best && html`<p>Nearest to retraining: <strong>${best.name}</strong>.</p>`
    }</div>`,
    sections: [
      {
        id: "ranking",
        title: "How near each comes to retraining",
        shortTitle: "Ranking",
        body: renderRanking(contest),
      },
      { id: "trade", title: "Forgetting, use and cost", shortTitle: "Trade", body: renderTrade(contest) },
      { id: "noise", title: "Which differences count", shortTitle: "Noise", body: renderNoise(contest) },
      { id: "figures", title: "Every figure", shortTitle: "Figures", body: renderFigures(contest) },
    ],
    footer:
      "This page is one file, runs no script and loads nothing. It holds what the compared documents say, and nothing that was measured anew.",
  });
}

const VERDICTS: Readonly<Record<string, string>> = {
  pass: "✓ pass",
  plausible: "≈ plausible",
  fail: "✗ fail",
  refused: "⊘ refused",
};

function verdictOf({ verdict }: Contestant): string {
  return verdict === undefined ? "–" : (VERDICTS[verdict] ?? verdict);
}

function interval({ value, low, high }: Estimate): string {
  return `${formatSignificant(value)} (${formatSignificant(low)} to ${formatSignificant(high)})`;
}

function renderRanking({ contestants, unit, unitNote }: Contest): Html {
  const rows = contestants.flatMap(({ name, forgetting, utility }) => [
    { name, kind: "forgetting", ...forgetting },
    { name, kind: "use", ...utility },
  ]);
  const kinds = [
    { kind: "forgetting", color: "var(--unlearned)", symbol: "diamond", dy: -5 },
    { kind: "use", color: "var(--trained)", symbol: "circle", dy: 5 },
  ] as const;
  const hasVerdicts = contestants.some(({ verdict }) => verdict !== undefined);
  const [best] = contestants;
  return renderFigure({
    id: "figure-ranking",
    title: `Distance from retrained models, ${unit}`,
    note: `Further left is nearer. ${unitNote}`,
    drawing: html`<p class="legend"><span class="key"><span class="sign" style="color:var(--unlearned)" aria-hidden="true">◆</span> forgetting</span><span class="key"><span class="sign" style="color:var(--trained)" aria-hidden="true">●</span> use</span></p>${renderPlot(
      {
        marginLeft: 205,
        marginRight: 16,
        height: 34 * contestants.length + 56,
        x: { label: unit, labelArrow: "none", zero: true },
        y: { label: null, type: "band", domain: contestants.map(({ name }) => name) },
        marks: [
          gridX({ ticks: 5, stroke: "var(--line)", strokeOpacity: 1 }),
          ...(unit === "bands" ? [ruleX([1], { stroke: "var(--muted)", strokeDasharray: "4 3" })] : []),
          ...kinds.flatMap(({ kind, color, symbol, dy }) => {
            const own = rows.filter((row) => row.kind === kind);
            return [
              link(own, { x1: "low", x2: "high", y1: "name", y2: "name", stroke: color, strokeWidth: 2, dy }),
              dot(own, { x: "value", y: "name", fill: color, symbol, r: 4.5, dy }),
            ];
          }),
        ],
      },
      best === undefined
        ? "Nothing to compare."
        : `${best.name} is nearest: ${formatSignificant(best.forgetting.value)} ${unit} in forgetting, ${formatSignificant(best.utility.value)} in use. Methods from the nearest down; distances across, with intervals.`,
    )}`,
    table: {
      caption: `Distances in ${unit} with 95% intervals`,
      columns: [
        { title: "Rank", numeric: true },
        { title: "Method" },
        ...(hasVerdicts ? [{ title: "Verdict" }] : []),
        { title: "Forgetting", numeric: true },
        { title: "Use", numeric: true },
        { title: "Cost", numeric: true },
      ],
      rows: contestants.map((contestant, at) => [
        String(at + 1),
        contestant.name,
        ...(hasVerdicts ? [verdictOf(contestant)] : []),
        interval(contestant.forgetting),
        interval(contestant.utility),
        costOf(contestant),
      ]),
    },
  });
}

function costOf({ cost }: Contestant): string {
  return cost === undefined ? "–" : formatPercent(cost);
}

/** A logarithmic axis has no place for nothing: what costs less is drawn here. */
const LEAST_COST = 0.001;

function renderTrade({ contestants, unit, costNote }: Contest): Html {
  const front = paretoFront(contestants);
  const rows = contestants.map((contestant) => ({
    name: contestant.name,
    forgetting: contestant.forgetting.value,
    utility: contestant.utility.value,
    cost: Math.max(LEAST_COST, contestant.cost ?? LEAST_COST),
    isFront: front.includes(contestant),
  }));
  const panel = (x: "utility" | "cost", label: string): Html =>
    renderPlot(
      {
        height: 340,
        marginLeft: 52,
        marginRight: 100,
        marginTop: 30,
        marginBottom: 44,
        x:
          x === "cost"
            ? { type: "log", label, labelArrow: "none", tickFormat: costTick }
            : { label, labelArrow: "none", zero: true, nice: true },
        y: { label: `forgetting, ${unit}`, labelArrow: "none", zero: true, nice: true },
        marks: [
          gridX({ ticks: 4, stroke: "var(--line)", strokeOpacity: 1 }),
          gridY({ ticks: 5, stroke: "var(--line)", strokeOpacity: 1 }),
          ruleY([0], { stroke: "var(--line)" }),
          dot(
            rows.filter(({ isFront }) => !isFront),
            { x, y: "forgetting", stroke: "var(--muted)", r: 4 },
          ),
          dot(
            rows.filter(({ isFront }) => isFront),
            { x, y: "forgetting", fill: "var(--unlearned)", r: 5, symbol: "diamond" },
          ),
          text(
            rows.filter(({ isFront }) => isFront),
            { x, y: "forgetting", text: "name", textAnchor: "start", dx: 9, fill: "var(--ink)" },
          ),
        ],
      },
      `${joinWords(front.map(({ name }) => name))} ${front.length === 1 ? "is" : "are"} beaten by no other in forgetting, use and cost together. Across: ${label}; up: distance in forgetting, ${unit}.`,
    );
  return renderFigure({
    id: "figure-trade",
    title: "What has to be given for what",
    note: `Towards the lower left is better. Filled and named: methods that no other beats, or equals, in forgetting, use and cost at once (the Pareto front). Cost: ${costNote}.`,
    drawing: html`<div class="panels"><div class="panel"><h3>Forgetting against use</h3>${panel("utility", `use, ${unit}`)}</div><div class="panel"><h3>Forgetting against cost</h3>${panel("cost", "cost, of one retraining")}</div></div>`,
    table: {
      caption: "Forgetting, use and cost",
      columns: [
        { title: "Method" },
        { title: `Forgetting, ${unit}`, numeric: true },
        { title: `Use, ${unit}`, numeric: true },
        { title: "Cost", numeric: true },
        { title: "On the front" },
      ],
      rows: contestants.map((contestant) => [
        contestant.name,
        formatSignificant(contestant.forgetting.value),
        formatSignificant(contestant.utility.value),
        costOf(contestant),
        front.includes(contestant) ? "yes" : "–",
      ]),
    },
  });
}

/** Methods that no other beats in one respect without being worse in another; an unknown cost counts as none known to be lower. */
function paretoFront(contestants: readonly Contestant[]): readonly Contestant[] {
  const costs = ({ forgetting, utility, cost = Number.POSITIVE_INFINITY }: Contestant): readonly number[] => [
    forgetting.value,
    utility.value,
    cost,
  ];
  const beats = (a: readonly number[], b: readonly number[]): boolean =>
    a.every((value, at) => value <= (b[at] as number)) && a.some((value, at) => value < (b[at] as number));
  return contestants.filter((one) => !contestants.some((other) => beats(costs(other), costs(one))));
}

function costTick(share: number): string {
  return `${Number((100 * share).toPrecision(1))}%`;
}

/** More methods than this are listed, not set against each other in a square. */
const MOST_IN_SQUARE = 6;

function renderNoise({ contestants, figures }: Contest): Html {
  const differing = (a: Contestant, b: Contestant): readonly string[] =>
    figures
      .filter(
        ({ id, noise }) => Math.abs((a.values[id] ?? Number.NaN) - (b.values[id] ?? Number.NaN)) > noise,
      )
      .map(({ id }) => id);
  if (!figures.some(({ noise }) => Number.isFinite(noise))) {
    return html`<p>Nothing says how much two retrained models differ here, so that no difference can be called more than noise.</p>`;
  }
  const explained = html`<p>Two models retrained with other seeds differ too. Two methods count as different on a figure when they differ by more than two retrained models do in 19 of 20 pairs, and by more than the samples looked at can tell. Where no figure tells them apart, their order in the ranking is chance.</p>`;
  if (contestants.length > MOST_IN_SQUARE) {
    return html`${explained}${renderTable({
      caption: "Methods that cannot be told apart",
      columns: [{ title: "Method" }, { title: "Within noise of" }],
      rows: contestants.map((one) => [
        one.name,
        contestants
          .filter((other) => other !== one && differing(one, other).length === 0)
          .map(({ name }) => name)
          .join(", ") || "none",
      ]),
    })}`;
  }
  return html`${explained}${renderTable({
    caption: "Figures on which two methods differ by more than retraining does",
    columns: [{ title: "Method" }, ...contestants.slice(1).map(({ name }) => ({ title: name }))],
    rows: contestants
      .slice(0, -1)
      .map((row, at) => [
        row.name,
        ...contestants
          .slice(1)
          .map((column, other) => (other < at ? "" : differing(row, column).join(", ") || "within noise")),
      ]),
  })}`;
}

function renderFigures({ contestants, figures }: Contest): Html {
  const write = ({ unit }: ContestFigure, value: number | undefined): string => {
    if (value === undefined || !Number.isFinite(value)) return "–";
    return unit === "share" ? formatPercent(value) : formatSignificant(value);
  };
  const lines = [
    { name: "Retrained", of: ({ retrained }: ContestFigure) => retrained },
    { name: "Noise", of: ({ noise }: ContestFigure) => noise },
    ...contestants.map(({ name, values }) => ({ name, of: ({ id }: ContestFigure) => values[id] })),
  ];
  const caption = "All figures; “noise” is what two retrained models differ by, at most, in 19 of 20 pairs";
  const titled = ({ title, id }: ContestFigure): Html => html`${title} <code>${id}</code>`;
  // The longer side goes down the page.
  if (contestants.length > figures.length) {
    return renderTable({
      caption,
      columns: [{ title: "Model" }, ...figures.map(({ title }) => ({ title, numeric: true }))],
      rows: lines.map(({ name, of }) => [name, ...figures.map((figure) => write(figure, of(figure)))]),
    });
  }
  return renderTable({
    caption,
    columns: [{ title: "Figure" }, ...lines.map(({ name }) => ({ title: name, numeric: true }))],
    rows: figures.map((figure) => [titled(figure), ...lines.map(({ of }) => write(figure, of(figure)))]),
  });
}
