import { paint, plainText, type TerminalMode, textWidth, truncateText } from "./terminal.ts";

/** A table for the terminal; the first column names the row. */
export interface TerminalTable {
  readonly title?: string;
  readonly columns: readonly { readonly title: string; readonly numeric?: boolean }[];
  readonly rows: readonly (readonly string[])[];
}

const GAP = "  ";

/** The least width of a text column that is cut to make the table fit. */
const LEAST_COLUMN = 8;

/**
 * The table as lines no wider than the terminal: numbers flush right, the widest text columns cut first. Where even
 * that is too wide, every row becomes a block of `column: value` lines.
 */
export function renderTerminalTable(table: TerminalTable, mode: TerminalMode): readonly string[] {
  const columns = table.columns.map(({ title, numeric }) => ({
    title: plainText(title),
    numeric: numeric === true,
  }));
  const rows = table.rows.map((row) => columns.map((_, index) => plainText(row[index] ?? "")));
  const title = table.title === undefined ? [] : [paint(plainText(table.title), "strong", mode)];
  const widths = fitColumns(columns, rows, mode.width);
  if (widths === undefined) return [...title, ...renderBlocks(columns, rows, mode)];
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, index) => align(cell, widths[index] ?? 0, columns[index]?.numeric === true))
      .join(GAP)
      .trimEnd();
  return [
    ...title,
    paint(line(columns.map((column) => column.title)), "muted", mode),
    paint(widths.map((width) => "─".repeat(width)).join(GAP), "muted", mode),
    ...rows.map(line),
  ];
}

type Columns = readonly { readonly title: string; readonly numeric: boolean }[];

/** Column widths that fit into `available`, or nothing when text columns would get too narrow to read. */
function fitColumns(columns: Columns, rows: readonly (readonly string[])[], available: number) {
  const widths = columns.map(({ title }, index) =>
    Math.max(textWidth(title), ...rows.map((row) => textWidth(row[index] ?? ""))),
  );
  const total = () => widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);
  while (total() > available) {
    const shrinkable = widths.map((width, index) => (columns[index]?.numeric === true ? 0 : width));
    const widest = Math.max(...shrinkable);
    if (widest <= LEAST_COLUMN) return undefined;
    widths[shrinkable.indexOf(widest)] = widest - 1;
  }
  return widths;
}

function renderBlocks(
  columns: Columns,
  rows: readonly (readonly string[])[],
  mode: TerminalMode,
): readonly string[] {
  return rows.flatMap((row) =>
    row.map((cell, index) =>
      index === 0
        ? paint(truncateText(cell, mode.width), "strong", mode)
        : truncateText(`  ${columns[index]?.title}: ${cell}`, mode.width),
    ),
  );
}

function align(cell: string, width: number, isNumeric: boolean): string {
  const shown = truncateText(cell, width);
  const space = " ".repeat(Math.max(0, width - textWidth(shown)));
  return isNumeric ? space + shown : shown + space;
}
