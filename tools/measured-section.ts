import type { MethodResult, Row } from "../bench/methods/result-file.ts";

/** The figures every experiment measures, in the order of the table's columns. */
const COLUMNS = [
  ["forget", "forget"],
  ["forgetTest", "forget class, test"],
  ["retain", "retain"],
  ["test", "test"],
  ["mia", "MIA"],
  ["auc", "AUC"],
] as const;

/** What a method's acceptance experiment found: criteria, models, remarks. */
export function measuredSection({ title, command, criteria, rows, remarks, machine }: MethodResult): string {
  const met = criteria.filter(({ isMet }) => isMet).length;
  const seeds = new Set(rows.map(({ seed }) => seed)).size;
  const verdict = criteria.map(
    ({ claim, target, figure, isMet }) =>
      `| ${claim} | ${target} | ${figure} | ${isMet ? "yes" : "**no**"} |`,
  );
  const cases = [...new Set(rows.map((row) => row.case))];
  return [
    "## Measured",
    "",
    title,
    "",
    `${met} of ${criteria.length} targets are met; means over ${seeds} ${seeds === 1 ? "seed" : "seeds"} unless a seed is named.`,
    "",
    "| claim | target | found | met |",
    "|---|---|---|---|",
    ...verdict,
    "",
    ...remarks.flatMap((remark) => [remark, ""]),
    ...cases.flatMap((id) => modelTable(id, rows)),
    `From \`${command}\` on ${machine.processor}, one thread. Per cent: accuracy on forget, retain and test samples (test without`,
    "forgotten classes), MIA-efficacy by confidence, AUC of the loss test (50: cannot tell). Cost is in sample gradients and processor",
    "seconds, as shares of retraining.",
    "",
  ].join("\n");
}

function modelTable(id: string, rows: readonly Row[]): string[] {
  const own = rows.filter((row) => row.case === id);
  const columns = COLUMNS.filter(([name]) => own.some(({ figures }) => figures[name] !== undefined));
  const of = (model: string): readonly Row[] => own.filter((row) => row.model === model);
  const retrained = of("retrained");
  const lines = [...new Set(own.map(({ model }) => model))].map((model) => {
    const list = of(model);
    const cells = columns.map(([name]) => shown(mean(list, ({ figures }) => figures[name] ?? Number.NaN)));
    const share = (value: (row: Row) => number): string =>
      shown((100 * mean(list, value)) / mean(retrained, value), " %");
    return `| ${model} | ${cells.join(" | ")} | ${share((row) => row.gradientEvaluations)} | ${share((row) => row.cpuSeconds)} |`;
  });
  return [
    `Case \`${id}\`:`,
    "",
    `| model | ${columns.map(([, name]) => name).join(" | ")} | gradients | time |`,
    `|---|${"---|".repeat(columns.length + 2)}`,
    ...lines,
    "",
  ];
}

function mean(rows: readonly Row[], value: (row: Row) => number): number {
  return rows.reduce((sum, row) => sum + value(row), 0) / rows.length;
}

function shown(value: number, unit = ""): string {
  return Number.isFinite(value) ? `${value.toFixed(1)}${unit}` : "–";
}
