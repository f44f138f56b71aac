import { LetheError } from "../kernel/errors.ts";
import { codesOf } from "./csv-labels.ts";

/** A column of a table that a model is to see. */
export interface TextColumn {
  readonly name: string;
  readonly cells: readonly string[];
  /** The file's line of each cell, for messages. */
  readonly lines: readonly number[];
  readonly file: string;
}

/** A column as numbers: `width` features for each row, written by `fill` at out[offset …]. */
export interface EncodedColumn {
  readonly width: number;
  fill(row: number, out: Float32Array, offset: number): void;
}

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
/** How programs write that there is no number. */
const NO_NUMBER = /^([+-]?(nan|inf|infinity)|na|n\/a|null|none|\?)?$/i;
const FLOAT32_MAX = 2 ** 128 - 2 ** 104;
/** More distinct words than this are an identifier or free text, of which a one-hot code makes nothing. */
const MAX_CATEGORIES = 256;
/** A deviation this far below the mean is what rounding leaves of a constant column. */
const ROUNDING = 1e-12;

/**
 * Turns a column into features. Whether it is numeric is seen from all rows; mean, deviation and vocabulary come from the
 * training rows alone, so that the test part stays unseen.
 *
 * - Every cell a number: (x − mean) / deviation, one feature; 0 throughout for a constant column.
 * - Otherwise one-hot over the training rows' words; a word they lack gives zeros.
 *
 * @param train - positions of the training rows
 * @throws LETHE_DATA_NOT_FINITE for a missing, infinite or too large number · LETHE_DATA_CATEGORIES for more than 256
 * words
 */
export function encodeColumn(column: TextColumn, train: Uint32Array): EncodedColumn {
  const isWord = (cell: string): boolean => !NUMBER.test(cell) && !NO_NUMBER.test(cell);
  return column.cells.some(isWord) ? oneHot(column, train) : standardised(column, train);
}

function standardised(column: TextColumn, train: Uint32Array): EncodedColumn {
  const values = Float64Array.from(column.cells, (cell, row) => {
    const value = NUMBER.test(cell) ? Number(cell) : Number.NaN;
    if (!(Math.abs(value) <= FLOAT32_MAX)) throw notFinite(column, row);
    return value;
  });
  const mean = average(train, (row) => values[row] as number);
  const variance = average(train, (row) => ((values[row] as number) - mean) ** 2);
  const deviation = Math.sqrt(variance);
  const scale = deviation > ROUNDING * Math.abs(mean) ? 1 / deviation : 0;
  const scaled = Float32Array.from(values, (value) => (value - mean) * scale);
  const fault = scaled.findIndex((value) => !Number.isFinite(value));
  if (fault >= 0) throw notFinite(column, fault);
  return {
    width: 1,
    fill: (row, out, offset) => {
      out[offset] = scaled[row] as number;
    },
  };
}

function oneHot(column: TextColumn, train: Uint32Array): EncodedColumn {
  const { cells, name, file } = column;
  const vocabulary = [...new Set(Array.from(train, (row) => cells[row] as string))].sort();
  if (vocabulary.length > MAX_CATEGORIES) {
    throw new LetheError(
      "data",
      "DATA_CATEGORIES",
      `Expected at most ${MAX_CATEGORIES} distinct words in column \`${name}\` of ${file}, got ${vocabulary.length}. Leave it out with drop=${name}, or name it as subject.`,
      { details: { file, column: name, distinct: vocabulary.length } },
    );
  }
  const codes = codesOf(cells, vocabulary);
  return {
    width: vocabulary.length,
    fill: (row, out, offset) => {
      const code = codes[row] as number;
      if (code >= 0) out[offset + code] = 1;
    },
  };
}

function average(rows: Uint32Array, value: (row: number) => number): number {
  return rows.reduce((sum, row) => sum + value(row), 0) / rows.length;
}

function notFinite({ name, lines, file }: TextColumn, row: number): LetheError {
  return new LetheError(
    "data",
    "DATA_NOT_FINITE",
    `Expected a finite number of ordinary size in column \`${name}\`, got none on line ${lines[row]} of ${file}. Fill it in, remove the row, or leave the column out with drop=${name}.`,
    { details: { file, column: name, line: lines[row] ?? 0 } },
  );
}
