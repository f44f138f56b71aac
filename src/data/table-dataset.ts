import { LetheError } from "../kernel/errors.ts";
import type { Key } from "../kernel/key.ts";
import type { Dataset } from "./dataset.ts";
import { samplesOf } from "./samples.ts";
import { requireTestPart, stratifiedSplit } from "./split.ts";
import { type NamedColumn, namedColumn, requireColumn, type Table, wordsOf } from "./table.ts";
import { type EncodedColumn, encodeColumn } from "./table-features.ts";
import { categoryOf, encodeLabels } from "./table-labels.ts";

/** What the columns of a table mean. A column that is not named here is a feature. */
export interface TableRoles {
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

/** Numbers of one sample: as many as an image of 128 × 128 in colour; a wider code makes no useful model. */
const MAX_WIDTH = 49_152;

/**
 * Makes a dataset of a table: classes from the label column, a stratified test part, features encoded with what the
 * training part alone shows (`encodeColumn`). Row `i` of the file, from 0, has the id `ID/i` in either part. Features stay
 * encoded in memory (4 bytes a cell) and are written out as they are gathered.
 *
 * @param splitKey - decides which rows become the test part
 * @throws LETHE_DATA_COLUMN for a column the table lacks, or when none is left as a feature · LETHE_DATA_TOO_LARGE for
 * one-hot codes of more than 49,152 numbers · LETHE_DATA_EMPTY for too few rows to test on, and as `encodeLabels` and
 * `encodeColumn`
 */
export function tableDataset(
  table: Table,
  roles: TableRoles,
  description: Pick<Dataset, "id" | "title" | "licence">,
  splitKey: Key,
): Dataset {
  const categories = (name: string) => categoryOf(wordsOf(namedColumn(table, name).values));
  const labels = encodeLabels(namedColumn(table, roles.label));
  const subjects = roles.subject === undefined ? {} : { subjects: categories(roles.subject) };
  const groups = Object.fromEntries(roles.groups.map((name) => [name, categories(name)]));
  for (const name of roles.drop) requireColumn(table, name);

  const split = stratifiedSplit(labels.codes, labels.names.length, roles.testFraction, splitKey);
  requireTestPart(split, table.file);
  const unseen = new Set([roles.label, roles.subject, ...roles.drop]);
  const columns = table.header
    .filter((name) => !unseen.has(name))
    .map((name): NamedColumn => namedColumn(table, name))
    .map((column) => encodeColumn(column, split.train));
  const width = featureWidth(columns, table.file);

  const samples = samplesOf({
    idPrefix: description.id,
    featureShape: [width],
    features: { count: table.rowCount, fill: rowFiller(columns) },
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

function featureWidth(columns: readonly EncodedColumn[], file: string): number {
  const width = columns.reduce((sum, column) => sum + column.width, 0);
  if (width === 0) {
    throw new LetheError(
      "data",
      "DATA_COLUMN",
      `Expected at least one feature column in ${file}, got none.`,
      { details: { file } },
    );
  }
  if (width > MAX_WIDTH) {
    throw new LetheError(
      "data",
      "DATA_TOO_LARGE",
      `Expected at most ${MAX_WIDTH} features from ${file}, but its encoded columns are ${width}. Leave out columns of many words with drop=NAME.`,
      { details: { file, width } },
    );
  }
  return width;
}

function rowFiller(columns: readonly EncodedColumn[]) {
  return (row: number, out: Float32Array, offset: number): void => {
    let at = offset;
    for (const { fill, width } of columns) {
      fill(row, out, at);
      at += width;
    }
  };
}
