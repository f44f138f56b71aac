import { LetheError } from "../kernel/errors.ts";

/** Rows and named columns of a file, whatever its format. */
export interface Table {
  readonly file: string;
  /** Names of the columns, in the file's order. */
  readonly header: readonly string[];
  readonly rowCount: number;
  /**
   * The values of a column of {@link Table.header}.
   *
   * @throws LETHE_DATA_COLUMN for values that are neither numbers nor words
   */
  column(name: string): Column;
  /** Where a row stands in the file, for messages: `line 7`. */
  placeOf(row: number): string;
}

/** Numbers (NaN where there is none), or words as they stand in the file (empty where there is none). */
export type Column = Float64Array | readonly string[];

/** A column with what messages need to name a value in it. */
export interface NamedColumn {
  readonly name: string;
  readonly values: Column;
  readonly table: Pick<Table, "file" | "placeOf">;
}

/** As many as a spreadsheet can have; a longer header is another kind of file. */
const MAX_COLUMNS = 16_384;
/** Enough names to see a slip of the pen. */
const NAMES_SHOWN = 20;

/**
 * A column by its name.
 *
 * @throws LETHE_DATA_COLUMN when the table has none of that name
 */
export function namedColumn(table: Table, name: string): NamedColumn {
  requireColumn(table, name);
  return { name, values: table.column(name), table };
}

/** @throws LETHE_DATA_COLUMN when the table has no column of that name */
export function requireColumn({ header, file }: Table, name: string): void {
  if (header.includes(name)) return;
  const known = header.slice(0, NAMES_SHOWN).join(", ");
  throw new LetheError(
    "data",
    "DATA_COLUMN",
    `Expected a column \`${name}\` in ${file}, got ${known}${header.length > NAMES_SHOWN ? " …" : ""}.`,
    { details: { file, column: name } },
  );
}

/** A column's values as words: numbers as JavaScript writes them, an absent one as the empty word. */
export function wordsOf(values: Column): readonly string[] {
  if (!(values instanceof Float64Array)) return values;
  return Array.from(values, (value) => (Number.isNaN(value) ? "" : String(value)));
}

/** What is wrong with the names of a table's columns: too many, an empty one, one there twice. */
export function faultOfNames(header: readonly string[], file: string): string | undefined {
  if (header.length > MAX_COLUMNS) {
    return `Expected at most ${MAX_COLUMNS} columns, got ${header.length} in ${file}.`;
  }
  if (header.includes("")) return `Expected a name for every column, got an empty one in ${file}.`;
  const seen = new Set<string>();
  for (const name of header) {
    if (seen.has(name)) return `Expected distinct column names, got \`${name}\` twice in ${file}.`;
    seen.add(name);
  }
  return undefined;
}

/** A column that holds lists, objects or bytes. */
export function unsupportedColumn(name: string, file: string): LetheError {
  return new LetheError(
    "data",
    "DATA_COLUMN",
    `Expected numbers or words in column \`${name}\` of ${file}, got lists, objects or bytes. Leave it out with drop=${name}.`,
    { details: { file, column: name } },
  );
}
