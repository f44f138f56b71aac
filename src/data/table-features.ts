import { LetheError } from "../kernel/errors.ts";
import { type NamedColumn, wordsOf } from "./table.ts";
import { codesOf } from "./table-labels.ts";

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
 * - Every cell a number, or a column of numbers: (x − mean) / deviation, one feature; 0 throughout for a constant column.
 * - Otherwise one-hot over the training rows' words; a word they lack gives zeros.
 *
 * @param train - positions of the training rows
 * @throws LETHE_DATA_NOT_FINITE for a missing, infinite or too large number · LETHE_DATA_CATEGORIES for more than 256
 * words
 */
export function encodeColumn(column: NamedColumn, train: Uint32Array): EncodedColumn {
  const { values } = column;
  if (values instanceof Float64Array) return standardised(column, values, train);
  const isWord = (cell: string): boolean => !NUMBER.test(cell) && !NO_NUMBER.test(cell);
  if (values.some(isWord)) return oneHot(column, train);
  const numbers = Float64Array.from(values, (cell) => (NUMBER.test(cell) ? Number(cell) : Number.NaN));
  return standardised(column, numbers, train);
}

function standardised(column: NamedColumn, values: Float64Array, train: Uint32Array): EncodedColumn {
  const strange = values.findIndex((value) => !(Math.abs(value) <= FLOAT32_MAX));
  if (strange >= 0) throw notFinite(column, strange);
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

function oneHot({ name, values, table: { file } }: NamedColumn, train: Uint32Array): EncodedColumn {
  const cells = wordsOf(values);
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

function notFinite({ name, table }: NamedColumn, row: number): LetheError {
  const { file } = table;
  const place = table.placeOf(row);
  return new LetheError(
    "data",
    "DATA_NOT_FINITE",
    `Expected a finite number of ordinary size in column \`${name}\`, got none on ${place} of ${file}. Fill it in, remove the row, or leave the column out with drop=${name}.`,
    { details: { file, column: name, place } },
  );
}
