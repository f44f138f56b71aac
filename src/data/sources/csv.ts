import { basename } from "node:path";
import { LetheError } from "../../kernel/errors.ts";
import { type CsvRoles, csvDataset } from "../csv-dataset.ts";
import { parseCsvTable } from "../csv-table.ts";
import { readBytes, unpack } from "../file.ts";
import { type DatasetSource, splitKeyOf } from "../source.ts";

const FORM = "csv:FILE?label=COLUMN&subject=COLUMN&group=COLUMN&drop=COLUMN&test=0.2&separator=,";
const PARAMETERS = ["label", "subject", "group", "drop", "test", "separator"] as const;
/** A fifth, the usual share. */
const DEFAULT_TEST_FRACTION = 0.2;
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
    const table = parseCsvTable(bytes, file, { separator, hasHeader: true });
    const name = basename(file);
    const description = { id: `csv:${name}`, title: `Table ${name}`, licence: csv.licence };
    return csvDataset(table, roles, description, splitKeyOf(options));
  },
};

/** A CSV dataset's argument, taken apart. */
export interface CsvArgument {
  readonly file: string;
  readonly separator: string;
  readonly roles: CsvRoles;
}

/**
 * Reads `FILE?label=COLUMN&…`. `group` and `drop` may be repeated; special characters are written as in an address
 * (`%26` for &); `separator` is one character or `tab`.
 *
 * @throws LETHE_USAGE_DATASET
 */
export function parseCsvArgument(argument: string): CsvArgument {
  const mark = argument.lastIndexOf("?");
  const file = argument.slice(0, mark);
  const parameters = new URLSearchParams(argument.slice(mark + 1));
  const label = parameters.get("label");
  if (mark <= 0 || !label) throw usage("Expected a file and its label column", argument);
  for (const name of parameters.keys()) {
    if (!PARAMETERS.some((known) => known === name)) {
      throw usage(`Expected parameters ${PARAMETERS.join(", ")}, got \`${name}\``, argument);
    }
    const isList = name === "group" || name === "drop";
    if (!isList && parameters.getAll(name).length > 1) {
      throw usage(`Expected one \`${name}\`, got several`, argument);
    }
  }
  const subject = parameters.get("subject");
  const roles = {
    label,
    ...(subject ? { subject } : {}),
    groups: parameters.getAll("group"),
    drop: parameters.getAll("drop"),
    testFraction: testFractionOf(parameters, argument),
  };
  return { file, separator: separatorOf(parameters, argument), roles };
}

function testFractionOf(parameters: URLSearchParams, argument: string): number {
  const text = parameters.get("test");
  const fraction = text === null ? DEFAULT_TEST_FRACTION : Number(text);
  if (fraction > 0 && fraction < 1) return fraction;
  throw usage(`Expected a test fraction in (0, 1), got \`${text}\``, argument);
}

function separatorOf(parameters: URLSearchParams, argument: string): string {
  const text = parameters.get("separator") ?? ",";
  const separator = text === "tab" ? "\t" : text;
  if (/^[^"\r\n\w]$/.test(separator)) return separator;
  throw usage(`Expected a separator of one character (or \`tab\`), got \`${text}\``, argument);
}

function usage(expectation: string, argument: string): LetheError {
  return new LetheError(
    "usage",
    "USAGE_DATASET",
    `${expectation}, in \`csv:${argument}\`. Write ${FORM}; only label is required.`,
    { details: { argument } },
  );
}
