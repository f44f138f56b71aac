import { axisX, axisY, dot, gridY, line, rectY, text } from "@observablehq/plot";
import { formatPercent, joinWords } from "../format.ts";
import type { Html } from "../html.ts";
import { MODEL_ROLES } from "../model-roles.ts";
import { renderPlot } from "../plot.ts";

/** One measure of one run: curves over the rounds, then the unlearned model and each repair. */
export interface RoundCurves {
  readonly trained: readonly CurvePoint[];
  readonly retrained: readonly CurvePoint[];
  readonly unlearning: readonly { readonly label: string; readonly value: number }[];
}

/** One measurement of a curve; `value` is a share in [0, 1]. */
export interface CurvePoint {
  readonly round: number;
  readonly value: number;
}

/** Draws one measure, a share in [0, 1]: rounds to the right, and a shaded band for what came after the last one. */
export function renderRoundPanel(curves: RoundCurves, title: string): Html {
  const { trained, unlearned, retrained } = MODEL_ROLES;
  const rounds = [...curves.trained, ...curves.retrained].map(({ round }) => round);
  const [first, last] = [Math.min(...rounds), Math.max(...rounds)];
  const span = Math.max(1, last - first);
  const bandStart = last + 0.04 * span;
  const spacing = 0.19 * span; // wide enough for a percentage above each point
  const after = curves.unlearning.map(({ value }, index) => ({
    value,
    x: bandStart + spacing * (index + 0.5),
  }));
  const end = bandStart + spacing * after.length;
  return renderPlot(
    {
      height: 270,
      marginLeft: 44,
      marginRight: 8,
      marginTop: 12,
      marginBottom: 44,
      x: { domain: [first, after.length > 0 ? end : last], label: null },
      y: { domain: [0, 1], label: null },
      marks: [
        after.length > 0 ? rectY([0], { x1: bandStart, x2: end, y1: 0, y2: 1, fill: "var(--track)" }) : null,
        gridY({ ticks: 5, stroke: "var(--line)", strokeOpacity: 1 }),
        axisY({
          ticks: 5,
          tickSize: 0,
          label: null,
          tickFormat: (share: number) => `${Math.round(share * 100)}%`,
        }),
        axisX(roundTicks(first, last), { tickSize: 4, label: null, tickFormat: String }),
        caption((first + last) / 2, "round"),
        after.length > 0 ? caption((bandStart + end) / 2, "after") : null,
        line(curves.trained, { x: "round", y: "value", stroke: trained.color, strokeWidth: 2.2 }),
        line(curves.retrained, {
          x: "round",
          y: "value",
          stroke: retrained.color,
          strokeWidth: 2.2,
          strokeDasharray: retrained.dash,
        }),
        dot(curves.trained.slice(-1), { x: "round", y: "value", fill: trained.color, r: 4 }),
        dot(curves.retrained.slice(-1), {
          x: "round",
          y: "value",
          symbol: retrained.symbol,
          fill: retrained.color,
          r: 4,
        }),
        dot(after, { x: "x", y: "value", symbol: unlearned.symbol, fill: unlearned.color, r: 6 }),
        // A label stands above its point, below it near the top.
        ...[-16, 17].map((dy) =>
          text(
            after.filter(({ value }) => value > 0.85 === dy > 0),
            {
              x: "x",
              y: "value",
              dy,
              text: ({ value }: { value: number }) => formatPercent(value),
              fontWeight: 600,
            },
          ),
        ),
      ],
    },
    describe(curves, title),
  );
}

/** A word under the axis. */
function caption(x: number, word: string) {
  return text([word], { x: [x], frameAnchor: "bottom", dy: 36, fill: "var(--muted)" });
}

/** Whole rounds at a step of 1, 2 or 5 times a power of ten, about five of them. */
function roundTicks(first: number, last: number): readonly number[] {
  const rough = Math.max(1, (last - first) / 5);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const start = Math.ceil(first / step) * step;
  return Array.from({ length: Math.floor((last - start) / step) + 1 }, (_, index) => start + index * step);
}

function describe({ trained, retrained, unlearning }: RoundCurves, title: string): string {
  const curve = (name: string, points: readonly CurvePoint[]) => {
    const [start, end] = [points.at(0), points.at(-1)];
    if (start === undefined || end === undefined) return [];
    return [
      `${name} from ${formatPercent(start.value)} in round ${start.round} to ${formatPercent(end.value)} in round ${end.round}`,
    ];
  };
  return `${title} over the rounds: ${joinWords([
    ...curve("trained", trained),
    ...curve("retrained", retrained),
    ...unlearning.map(({ label, value }) => `${label} ${formatPercent(value)}`),
  ])}.`;
}
