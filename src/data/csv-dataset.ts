import { LetheError } from "../kernel/errors.ts";
import type { Key } from "../kernel/key.ts";
import { type EncodedColumn, encodeColumn } from "./csv-features.ts";
import { codesOf, encodeLabels } from "./csv-labels.ts";
import type { CsvTable } from "./csv-table.ts";
import type { Dataset } from "./dataset.ts";
import { type CategoryColumn, samplesOf } from "./samples.ts";
import { type Split, stratifiedSplit } from "./split.ts";

/** What the columns of a table mean. A column that is not named here is a feature. */
export interface CsvRoles {
  readonly label: string;
  /** Whom a row is about; never a feature. */
  readonly subject?: string;
  /** Attributes by which groups are formed; features as well, unless dropped. */
  readonly groups: readonly string[];
  /** Columns a model must not see. */
  readonly drop: readonly string[];
  /** In (0, 1). */
  readonly testFraction: number;
}

/** Features may take this many times the file's own size, and always … */
const MAX_EXPANSION = 64;
/** … this many bytes. */
const SMALL_BYTES = 16 * 2 ** 20;

/**
 * Makes a dataset of a table: classes from the label column, a stratified test part, features encoded with what the
 * training part alone shows (`encodeColumn`). Row `i` of the file, from 0 after the header, has the id `ID/i` in either
 * part.
 *
 * @param splitKey - decides which rows become the test part
 * @throws LETHE_DATA_COLUMN for a column the table lacks, or when none is left as a feature · LETHE_DATA_TOO_LARGE for
 * one-hot codes out of proportion · LETHE_DATA_EMPTY for too few rows to test on, and as `encodeLabels` and
 * `encodeColumn`
 */
export function csvDataset(
  table: CsvTable,
  roles: CsvRoles,
  description: Pick<Dataset, "id" | "title" | "licence">,
  splitKey: Key,
): Dataset {
  const { file, header, lines } = table;
  const cellsOf = (name: string): readonly string[] => cellsOfColumn(table, name);
  const labels = encodeLabels(cellsOf(roles.label), lines, roles.label, file);
  const subjects = roles.subject === undefined ? {} : { subjects: category(cellsOf(roles.subject)) };
  const groups = Object.fromEntries(roles.groups.map((name) => [name, category(cellsOf(name))]));
  for (const name of roles.drop) columnIndex(table, name);

  const split = stratifiedSplit(labels.codes, labels.names.length, roles.testFraction, splitKey);
  requireTestPart(split, file);
  const unseen = new Set([roles.label, roles.subject, ...roles.drop]);
  const columns = header
    .filter((name) => !unseen.has(name))
    .map((name) => encodeColumn({ name, cells: cellsOf(name), lines, file }, split.train));
  const width = featureWidth(columns, table);

  const samples = samplesOf({
    idPrefix: description.id,
    featureShape: [width],
    features: { values: fillRows(columns, table.rows.length, width) },
    labels: labels.codes,
    classCount: labels.names.length,
    ...subjects,
    groups,
  });
  return Object.freeze({
    ...description,
    classNames: labels.names,
    featureShape: samples.featureShape,
    train: samples.subset(split.train),
    test: samples.subset(split.test),
  });
}

function columnIndex({ header, file }: CsvTable, name: string): number {
  const index = header.indexOf(name);
  if (index >= 0) return index;
  // Enough names to see a slip of the pen.
  const known = header.slice(0, 20).join(", ");
  throw new LetheError(
    "data",
    "DATA_COLUMN",
    `Expected a column \`${name}\` in ${file}, got ${known}${header.length > 20 ? " …" : ""}.`,
    { details: { file, column: name } },
  );
}

function cellsOfColumn(table: CsvTable, name: string): readonly string[] {
  const index = columnIndex(table, name);
  return table.rows.map((row) => row[index] as string);
}

function category(cells: readonly string[]): CategoryColumn {
  const names = [...new Set(cells)];
  return { codes: codesOf(cells, names), names };
}

function requireTestPart(split: Split, file: string): void {
  if (split.test.length > 0) return;
  throw new LetheError(
    "data",
    "DATA_EMPTY",
    `Expected enough rows in ${file} to put one of each class aside for testing, got ${split.train.length}. Give more rows or a larger test fraction.`,
    { details: { file, rows: split.train.length } },
  );
}

function featureWidth(columns: readonly EncodedColumn[], { file, bytes, rows }: CsvTable): number {
  const width = columns.reduce((sum, column) => sum + column.width, 0);
  if (width === 0) {
    throw new LetheError(
      "data",
      "DATA_COLUMN",
      `Expected at least one feature column in ${file}, got none.`,
      {
        details: { file },
      },
    );
  }
  const needed = rows.length * width * Float32Array.BYTES_PER_ELEMENT;
  const allowed = Math.max(SMALL_BYTES, MAX_EXPANSION * bytes);
  if (needed > allowed) {
    throw new LetheError(
      "data",
      "DATA_TOO_LARGE",
      `Expected features of at most ${allowed} bytes from ${file}, but its ${width} encoded columns take ${needed}. Leave out columns of many words with drop=NAME.`,
      { details: { file, width, bytes: needed } },
    );
  }
  return width;
}

function fillRows(columns: readonly EncodedColumn[], rowCount: number, width: number): Float32Array {
  const values = new Float32Array(rowCount * width); // [rowCount, width]
  let offset = 0;
  for (const column of columns) {
    for (let row = 0; row < rowCount; row++) column.fill(row, values, row * width + offset);
    offset += column.width;
  }
  return values;
}
