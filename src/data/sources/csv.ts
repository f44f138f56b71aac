import { parseCsvTable, tableOfCsv } from "../csv-table.ts";
import { readBytes, unpack } from "../file.ts";
import type { DatasetSource } from "../source.ts";
import { parseTableArgument, TABLE_FORM, type TableArgument } from "../table-argument.ts";
import { loadTable } from "./table.ts";

const FORM = `csv:FILE?${TABLE_FORM}&separator=,`;
/** Every cell becomes a string: reading takes about 17 times the file's size in memory. */
const MAX_CSV_BYTES = 128 * 2 ** 20;

/** The user's own table. */
export const csv: DatasetSource = {
  id: "csv",
  form: FORM,
  title: "A table in a CSV file, plain or .gz",
  paper: "RFC 4180",
  licence: "the user's own",
  availability: async () => ({ available: true }),
  async load(argument, options) {
    const { file, separator, roles } = parseCsvArgument(argument);
    const bytes = await unpack(await readBytes(file, MAX_CSV_BYTES), file);
    const table = tableOfCsv(parseCsvTable(bytes, file, { separator, hasHeader: true }));
    return loadTable(table, roles, csv, options);
  },
};

/**
 * Reads `FILE?label=COLUMN&…`; `separator` is one character or `tab`.
 *
 * @throws LETHE_USAGE_DATASET
 */
export function parseCsvArgument(
  text: string,
): Pick<TableArgument, "file" | "roles"> & { readonly separator: string } {
  const { file, roles, argument } = parseTableArgument(text, FORM, ["separator"]);
  const word = argument.one("separator") ?? ",";
  const separator = word === "tab" ? "\t" : word;
  if (!/^[^"\r\n\w]$/.test(separator)) {
    throw argument.fault(`Expected a separator of one character (or \`tab\`), got \`${word}\``);
  }
  return { file, roles, separator };
}
