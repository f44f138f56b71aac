import { LetheError } from "../kernel/errors.ts";
import type { CategoryColumn } from "./samples.ts";
import { type NamedColumn, wordsOf } from "./table.ts";

/** As many classes as ImageNet; a column with more is an identifier or a measurement. */
const MAX_CLASSES = 1000;
/** Whole numbers, as some programs write them: 3 or 3.0. */
const WHOLE_NUMBER = /^[+-]?\d+(\.0*)?$/;
const STARTS_AS_NUMBER = /^[+-]?\.?\d/;

/**
 * Turns a label column into classes: whole numbers in numeric order, or words in alphabetical order, never both.
 *
 * @returns the class of each row, and the classes' names
 * @throws LETHE_DATA_LABEL for an empty cell, a fraction, a word among numbers, more than 1,000 classes ·
 * LETHE_DATA_ONE_CLASS
 */
export function encodeLabels(column: NamedColumn): CategoryColumn {
  const { name, table } = column;
  const cells = wordsOf(column.values);
  const isNumeric = cells.some((cell) => STARTS_AS_NUMBER.test(cell));
  const fault = cells.findIndex((cell) => cell === "" || (isNumeric && !isLabelNumber(cell)));
  if (fault >= 0) {
    const expected = isNumeric ? "a whole number like the labels elsewhere" : "a label";
    const place = table.placeOf(fault);
    throw labelError(
      `Expected ${expected} in column \`${name}\`, got ${cells[fault] === "" ? "an empty cell" : "something else"} on ${place} of ${table.file}.`,
      { file: table.file, column: name, place },
    );
  }
  const words = isNumeric ? cells.map((cell) => String(Number(cell))) : cells;
  const names = [...new Set(words)].sort(isNumeric ? (a, b) => Number(a) - Number(b) : undefined);
  requireClassCount(names.length, column);
  return { codes: codesOf(words, names), names };
}

/** The index of each word in `names`; −1 for one that is not there. */
export function codesOf(words: readonly string[], names: readonly string[]): Int32Array {
  const codeOf = new Map(names.map((name, code) => [name, code]));
  const codes = new Int32Array(words.length);
  words.forEach((word, at) => {
    codes[at] = codeOf.get(word) ?? -1;
  });
  return codes;
}

/** Words as codes, each distinct word named once, in order of appearance. */
export function categoryOf(words: readonly string[]): CategoryColumn {
  const names = [...new Set(words)];
  return { codes: codesOf(words, names), names };
}

function isLabelNumber(cell: string): boolean {
  return WHOLE_NUMBER.test(cell) && Number.isSafeInteger(Number(cell));
}

function requireClassCount(count: number, { name, table: { file } }: NamedColumn): void {
  if (count < 2) {
    throw new LetheError(
      "data",
      "DATA_ONE_CLASS",
      `Expected at least two classes in column \`${name}\` of ${file}, got one.`,
      { details: { file, column: name } },
    );
  }
  if (count > MAX_CLASSES) {
    throw labelError(
      `Expected at most ${MAX_CLASSES} classes in column \`${name}\` of ${file}, got ${count}. Is it an identifier or a measurement?`,
      { file, column: name, classes: count },
    );
  }
}

function labelError(message: string, details: Readonly<Record<string, string | number>>): LetheError {
  return new LetheError("data", "DATA_LABEL", message, { details });
}
