import { axisX, axisY, dot, gridY, text } from "@observablehq/plot";
import { renderFigure } from "../figure.ts";
import { formatBytes, formatPercent, formatRatio } from "../format.ts";
import { type Html, html } from "../html.ts";
import { renderPlot } from "../plot.ts";
import type { SimulationReport } from "../simulation-report-schema.ts";

type CodecPoint = NonNullable<SimulationReport["codecCurve"]>[number];
type Measure = "error" | "attackSuccess" | "accuracy";

const PANELS = [
  { key: "error", title: "Error of the correction" },
  { key: "attackSuccess", title: "Attack success after unlearning" },
  { key: "accuracy", title: "Accuracy after unlearning" },
] as const;

/** The size of the history against what unlearning from it is worth, for several codec settings. */
export function renderCodecCurve(codecCurve: readonly CodecPoint[]): Html {
  const points = codecCurve
    .toSorted((a, b) => a.storedBytes - b.storedBytes)
    .map((point, index) => ({ ...point, letter: String.fromCharCode(65 + index) })); // A, B, C, …
  // Accuracy is drawn only where there is no attack: two panels are enough to see a trade-off.
  const hasAttack = points.some(({ attackSuccess }) => attackSuccess !== undefined);
  const panels = PANELS.filter(
    ({ key }) => points.some((point) => point[key] !== undefined) && (key !== "accuracy" || !hasAttack),
  );
  return renderFigure({
    id: "figure-codec",
    title: "How small may the history be?",
    note: "Each point is the same run unlearned from a history stored another way; smaller histories are further left. The error compares the correction with the one computed from float32. The filled point is the setting of this run.",
    drawing: html`<div class="panels">${panels.map(
      ({ key, title }) => html`<div class="panel"><h3>${title}</h3>${renderPanel(points, key, title)}</div>`,
    )}</div>
<ul class="keys">${points.map(
      ({ letter, title, bitsPerParameter, used }) =>
        html`<li><b>${letter}</b> ${title}, ${bitsPerParameter.toFixed(2)} bits${used && html` <span class="muted">(this run)</span>`}</li>`,
    )}</ul>`,
    table: tableOf(points),
  });
}

type LetteredPoint = CodecPoint & { readonly letter: string };

function renderPanel(points: readonly LetteredPoint[], key: Measure, title: string): Html {
  const shown = points.flatMap((point) => {
    const value = point[key];
    return value === undefined ? [] : [{ ...point, value }];
  });
  const highest = Math.max(...shown.map(({ value }) => value), key === "error" ? 0.05 : 0.1);
  const smallest = Math.min(...shown.map(({ storedBytes }) => storedBytes));
  const largest = Math.max(...shown.map(({ storedBytes }) => storedBytes));
  const position = { x: "storedBytes", y: "value" } as const;
  const color = "var(--unlearned)";
  return renderPlot(
    {
      height: 260,
      insetBottom: 14,
      marginLeft: 48,
      marginRight: 16,
      marginTop: 16,
      marginBottom: 44,
      x: { type: "log", domain: [smallest / 1.3, largest * 1.3], label: null },
      y: {
        domain: [
          0,
          key === "accuracy" ? 1 : Math.min(highest * 1.1, key === "error" ? Number.POSITIVE_INFINITY : 1),
        ],
        label: null,
      },
      marks: [
        gridY({ ticks: 5, stroke: "var(--line)", strokeOpacity: 1 }),
        axisY({
          ticks: 5,
          tickSize: 0,
          label: null,
          tickFormat: (value: number) => `${Number((value * 100).toFixed(1))}%`,
        }),
        axisX(byteTicks(smallest / 1.3, largest * 1.3), { tickSize: 4, label: null, tickFormat: formatTick }),
        text(["bytes stored (log scale)"], {
          frameAnchor: "bottom",
          x: [Math.sqrt(smallest * largest)],
          dy: 36,
          fill: "var(--muted)",
        }),
        dot(shown, {
          ...position,
          r: 10,
          stroke: color,
          strokeWidth: 2,
          fill: ({ used }: LetteredPoint) => (used ? color : "var(--surface)"),
        }),
        ...[true, false].map((used) =>
          text(
            shown.filter((point) => point.used === used),
            { ...position, text: "letter", fontWeight: 700, fill: used ? "var(--surface)" : "var(--ink)" },
          ),
        ),
      ],
    },
    `${title} against bytes stored: ${shown
      .map(
        ({ title: setting, storedBytes, value }) =>
          `${setting}, ${formatBytes(storedBytes)}: ${formatPercent(value)}`,
      )
      .join("; ")}.`,
  );
}

/** Powers of ten inside the range, and their double and fivefold where there are few. */
function byteTicks(low: number, high: number): readonly number[] {
  const powers = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);
  const inside = (ticks: readonly number[]) => ticks.filter((tick) => tick >= low && tick <= high);
  const tens = inside(powers);
  if (tens.length >= 3) return tens;
  return inside(powers.flatMap((power) => [power, 2 * power, 5 * power]));
}

function formatTick(bytes: number): string {
  return formatBytes(bytes).replace(/\.0+(?=\u00a0)/, "");
}

function tableOf(points: readonly LetteredPoint[]) {
  const share = (value: number | undefined) => (value === undefined ? "–" : formatPercent(value));
  const raw = points.at(-1)?.storedBytes ?? 0;
  return {
    caption: "Codec settings, from the smallest history to the largest",
    columns: [
      { title: "Setting" },
      { title: "Bits per parameter", numeric: true },
      { title: "Stored", numeric: true },
      { title: "Smaller by", numeric: true },
      { title: "Error", numeric: true },
      { title: "Accuracy", numeric: true },
      { title: "Attack success", numeric: true },
    ],
    rows: points.map(({ letter, title, bitsPerParameter, storedBytes, error, accuracy, attackSuccess }) => [
      `${letter} ${title}`,
      bitsPerParameter.toFixed(2),
      formatBytes(storedBytes),
      formatRatio(raw, storedBytes),
      formatPercent(error),
      share(accuracy),
      share(attackSuccess),
    ]),
  };
}
