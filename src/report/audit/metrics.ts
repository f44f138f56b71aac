import type { MetricRow } from "../../audit/audit-document.ts";
import type { AuditReport } from "../audit-report-data.ts";
import { formatPercent, formatSignificant } from "../format.ts";
import { type Html, html } from "../html.ts";
import { type Cell, renderTable } from "../table.ts";

const GROUPS = {
  removal: "Traces of the forgotten samples in the answers",
  features: "Traces in what goes into the last layer",
  utility: "Use and privacy of what was kept",
  reported: "Shown, not judged",
} as const;

/** The table of all figures, group by group. */
export function renderMetrics({ metrics, references }: AuditReport): Html {
  const rows = Object.entries(metrics);
  return html`<p>“Limits” is where one more retrained model would lie, all figures together, in 99 of 100 audits (from the spread of ${references} retrained models). “Floor” is how far a retrained model is from the others on average. The interval is that of unlearned less retrained, at 95%, over samples and retrained models. “Tells” marks figures on which the original is at least two bands away: only these can show a removal.</p>
${Object.entries(GROUPS).map(([group, caption]) => {
  const members = rows.filter(([, row]) => row.group === group);
  return members.length > 0 && renderGroup(caption, members, group !== "reported");
})}`;
}

function renderGroup(
  caption: string,
  rows: readonly (readonly [string, MetricRow])[],
  isJudged: boolean,
): Html {
  return renderTable({
    caption,
    columns: [
      { title: "Figure" },
      { title: "Original", numeric: true },
      { title: "Unlearned", numeric: true },
      { title: "Retrained", numeric: true },
      { title: "Floor", numeric: true },
      ...(isJudged ? [{ title: "Limits", numeric: true }] : []),
      { title: "Difference, 95%", numeric: true },
      ...(isJudged ? [{ title: "Within" }, { title: "Tells" }] : []),
    ],
    rows: rows.map(([id, row]): readonly Cell[] => {
      const write = row.unit === "share" ? formatPercent : formatSignificant;
      const difference = (value: number): string =>
        row.unit === "share" ? percentPoints(value) : formatSignificant(value);
      return [
        html`${row.title} <code>${id}</code>`,
        write(row.original),
        write(row.unlearned),
        write(row.retrained),
        difference(row.floor),
        ...(isJudged ? [`${write(row.limits[0])} to ${write(row.limits[1])}`] : []),
        `${difference(row.ci[0])} to ${difference(row.ci[1])}`,
        ...(isJudged ? [withinOf(row.passes), row.tells ? "yes" : "–"] : []),
      ];
    }),
  });
}

function withinOf(passes: boolean): Html {
  return passes ? html`<span class="good">✓ yes</span>` : html`<span class="bad">✗ no</span>`;
}

/** A difference of shares in points, without the word. */
function percentPoints(value: number): string {
  return (100 * value).toFixed(1).replace("-", "−");
}
