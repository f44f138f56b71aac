import { isUtf8 } from "node:buffer";
import { CsvError, parse } from "csv-parse/sync";
import { LetheError } from "../kernel/errors.ts";
import { faultOfNames, type Table } from "./table.ts";

/** The cells of a CSV file. */
export interface CsvTable {
  readonly file: string;
  /** Names in the first line; empty when the file has none. */
  readonly header: readonly string[];
  /** Rows of equally many cells, without white space around them. */
  readonly rows: readonly (readonly string[])[];
  /** Line of the file, from 1, on which each row ends (the parser counts CR LF inside quotes as two). */
  readonly lines: readonly number[];
}

/**
 * Splits a CSV file into cells (RFC 4180, UTF-8, any line ends; empty lines are passed over).
 *
 * @param file - its name, for messages
 * @param format.separator - one character
 * @throws LETHE_DATA_EMPTY · LETHE_DATA_CSV for what is not UTF-8, a quote that is not closed or stands inside a cell,
 * or a row with more or fewer cells than the first
 */
export function parseCsvTable(
  bytes: Uint8Array,
  file: string,
  format: { readonly separator: string; readonly hasHeader: boolean },
): CsvTable {
  if (!isUtf8(bytes)) throw csvError(`Expected UTF-8 text in ${file}. Convert the file first.`, file);
  const lines: number[] = [];
  const rows = parseCells(bytes, file, format.separator, lines);
  const header = format.hasHeader ? (rows.shift() ?? []) : [];
  if (format.hasHeader) lines.shift();
  const nameFault = faultOfNames(header, file);
  if (nameFault !== undefined) throw csvError(nameFault, file);
  if (rows.length === 0) {
    throw new LetheError("data", "DATA_EMPTY", `Expected rows of data in ${file}, got none.`, {
      details: { file },
    });
  }
  return { file, header, rows, lines };
}

/** The cells of a CSV file with a header by column. */
export function tableOfCsv({ file, header, rows, lines }: CsvTable): Table {
  return {
    file,
    header,
    rowCount: rows.length,
    column: (name) => {
      const index = header.indexOf(name);
      return rows.map((row) => row[index] as string);
    },
    placeOf: (row) => `line ${lines[row]}`,
  };
}

function parseCells(bytes: Uint8Array, file: string, separator: string, lines: number[]): string[][] {
  try {
    return parse(bytes, {
      delimiter: separator,
      // Named, or the first line end found would be the only one known.
      record_delimiter: ["\r\n", "\n", "\r"],
      bom: true,
      trim: true,
      skip_empty_lines: true,
      on_record: (record: string[], context) => {
        lines.push(context.lines);
        return record;
      },
    });
  } catch (error) {
    // Not kept as the cause: it carries the row, and a message must never hold a person's data.
    if (error instanceof CsvError) throw syntaxError(error, file);
    throw error;
  }
}

function syntaxError(error: CsvError, file: string): LetheError {
  const { code, lines } = error;
  const line = Number(lines);
  const place = `on line ${line} of ${file}`;
  const details = { file, line, parser: code };
  const messages: Partial<Record<typeof code, string>> = {
    CSV_RECORD_INCONSISTENT_FIELDS_LENGTH: `Expected as many cells in every row as in the first, got another number ${place}. A cell that holds the separator needs quotes.`,
    CSV_QUOTE_NOT_CLOSED: `Expected every quoted cell to be closed, but ${file} ends inside the one opened before line ${line}.`,
  };
  const message =
    messages[code] ??
    `Expected well-formed CSV (RFC 4180), got a misplaced quote ${place}. Double a quote inside a quoted cell.`;
  return new LetheError("data", "DATA_CSV", message, { details });
}

function csvError(message: string, file: string): LetheError {
  return new LetheError("data", "DATA_CSV", message, { details: { file } });
}
