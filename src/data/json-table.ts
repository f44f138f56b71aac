import { isUtf8 } from "node:buffer";
import { LetheError } from "../kernel/errors.ts";
import { type Column, faultOfNames, type Table, unsupportedColumn } from "./table.ts";

type Row = Readonly<Record<string, unknown>>;

/**
 * Reads rows that are JSON objects: one array of them, or one a line. A name that some row lacks has no value there, as has
 * `null`; a column with words holds its numbers as words.
 *
 * @param file - its name, for messages
 * @throws LETHE_DATA_EMPTY · LETHE_DATA_JSON for what is not UTF-8 or not JSON, and rows that are no objects
 */
export function parseJsonTable(bytes: Uint8Array, file: string): Table {
  if (!isUtf8(bytes)) throw jsonError(`Expected UTF-8 text in ${file}. Convert the file first.`, file);
  const text = new TextDecoder().decode(bytes);
  const values = /^\s*\[/.test(text) ? parsed(text, file, "the array") : linesOf(text, file);
  const placeOf = (row: number): string => `row ${row + 1}`;
  if (!Array.isArray(values) || values.length === 0) {
    throw new LetheError("data", "DATA_EMPTY", `Expected rows of data in ${file}, got none.`, {
      details: { file },
    });
  }
  const fault = values.findIndex((row) => typeof row !== "object" || row === null || Array.isArray(row));
  if (fault >= 0)
    throw jsonError(`Expected an object, got something else as ${placeOf(fault)} of ${file}.`, file);
  const rows = values as readonly Row[];
  const names = new Set<string>();
  for (const row of rows) for (const name of Object.keys(row)) names.add(name);
  const header = [...names];
  const nameFault = faultOfNames(header, file);
  if (nameFault !== undefined) throw jsonError(nameFault, file);
  return { file, header, rowCount: rows.length, column: (name) => columnOf(rows, name, file), placeOf };
}

function linesOf(text: string, file: string): readonly unknown[] {
  return text.split(/\r\n|\n/).flatMap((line, at) => {
    return line.trim() === "" ? [] : [parsed(line, file, `line ${at + 1}`)];
  });
}

function parsed(text: string, file: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not kept as the cause: it quotes the text, and a message must never hold a person's data.
    throw jsonError(`Expected JSON, but ${place} of ${file} cannot be read as such.`, file);
  }
}

function columnOf(rows: readonly Row[], name: string, file: string): Column {
  const values = rows.map((row) => (Object.hasOwn(row, name) ? row[name] : null));
  if (values.some((value) => typeof value === "object" && value !== null)) {
    throw unsupportedColumn(name, file);
  }
  if (values.every((value) => value === null || typeof value === "number")) {
    return Float64Array.from(values, (value) => (value as number | null) ?? Number.NaN);
  }
  return values.map((value) => (value === null ? "" : String(value)));
}

function jsonError(message: string, file: string): LetheError {
  return new LetheError("data", "DATA_JSON", message, { details: { file } });
}
