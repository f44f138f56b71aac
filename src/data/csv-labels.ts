import { LetheError } from "../kernel/errors.ts";
import type { CategoryColumn } from "./samples.ts";

/** As many classes as ImageNet; a column with more is an identifier or a measurement. */
const MAX_CLASSES = 1000;
/** Whole numbers, as some programs write them: 3 or 3.0. */
const WHOLE_NUMBER = /^[+-]?\d+(\.0*)?$/;
const STARTS_AS_NUMBER = /^[+-]?\.?\d/;

/**
 * Turns a label column into classes: whole numbers in numeric order, or words in alphabetical order, never both.
 *
 * @param lines - the file's line of each cell, for messages
 * @returns the class of each cell, and the classes' names
 * @throws LETHE_DATA_LABEL for an empty cell, a fraction, a word among numbers, more than 1,000 classes ·
 * LETHE_DATA_ONE_CLASS
 */
export function encodeLabels(
  cells: readonly string[],
  lines: readonly number[],
  column: string,
  file: string,
): CategoryColumn {
  const isNumeric = cells.some((cell) => STARTS_AS_NUMBER.test(cell));
  const fault = cells.findIndex((cell) => cell === "" || (isNumeric && !isLabelNumber(cell)));
  if (fault >= 0) {
    const expected = isNumeric ? "a whole number like the labels elsewhere" : "a label";
    throw labelError(
      `Expected ${expected} in column \`${column}\`, got ${cells[fault] === "" ? "an empty cell" : "something else"} on line ${lines[fault]} of ${file}.`,
      { file, column, line: lines[fault] ?? 0 },
    );
  }
  const words = isNumeric ? cells.map((cell) => String(Number(cell))) : cells;
  const names = [...new Set(words)].sort(isNumeric ? (a, b) => Number(a) - Number(b) : undefined);
  requireClassCount(names.length, column, file);
  return { codes: codesOf(words, names), names };
}

/** The index of each word in `names`; −1 for one that is not there. */
export function codesOf(words: readonly string[], names: readonly string[]): Int32Array {
  const codeOf = new Map(names.map((name, code) => [name, code]));
  return Int32Array.from(words, (word) => codeOf.get(word) ?? -1);
}

function isLabelNumber(cell: string): boolean {
  return WHOLE_NUMBER.test(cell) && Number.isSafeInteger(Number(cell));
}

function requireClassCount(count: number, column: string, file: string): void {
  if (count < 2) {
    throw new LetheError(
      "data",
      "DATA_ONE_CLASS",
      `Expected at least two classes in column \`${column}\` of ${file}, got one.`,
      { details: { file, column } },
    );
  }
  if (count > MAX_CLASSES) {
    throw labelError(
      `Expected at most ${MAX_CLASSES} classes in column \`${column}\` of ${file}, got ${count}. Is it an identifier or a measurement?`,
      { file, column, classes: count },
    );
  }
}

function labelError(message: string, details: Readonly<Record<string, string | number>>): LetheError {
  return new LetheError("data", "DATA_LABEL", message, { details });
}
