import { type FileMetaData, parquetMetadata, parquetRead, parquetSchema, type SchemaTree } from "hyparquet";
import { isLetheError, LetheError } from "../kernel/errors.ts";
import { parquetDecoders } from "./parquet-decoders.ts";
import { faultOfPages } from "./parquet-pages.ts";
import { type Column, faultOfNames, type Table, unsupportedColumn } from "./table.ts";

/**
 * Reads the columns of a Parquet file. Times become milliseconds since 1970, whole numbers beyond 2⁵³ words (they are
 * identifiers); `null` is no value. Columns of lists, objects or bytes are there by name only.
 *
 * @param bytes - the whole file
 * @param file - its name, for messages
 * @throws LETHE_DATA_EMPTY · LETHE_DATA_PARQUET for a damaged file, one of another format, or one that would unpack out of
 * proportion
 */
export async function readParquetTable(bytes: Uint8Array, file: string): Promise<Table> {
  try {
    return await readTable(bytes, file);
  } catch (error) {
    if (isLetheError(error)) throw error;
    // Not kept as the cause: the reader's messages may quote values, and a message must never hold a person's data.
    throw parquetError("pages that can be read", file, "damaged ones");
  }
}

async function readTable(bytes: Uint8Array, file: string): Promise<Table> {
  const metadata = readMetadata(bytes, file);
  const fields = parquetSchema(metadata).children;
  const header = fields.map(({ element }) => element.name);
  const nameFault = faultOfNames(header, file);
  if (nameFault !== undefined)
    throw parquetError("one name for every column", file, "empty or repeated ones");
  const rowCount = Number(metadata.num_rows);
  if (!(rowCount > 0) || fields.length === 0) {
    throw new LetheError("data", "DATA_EMPTY", `Expected rows of data in ${file}, got none.`, {
      details: { file },
    });
  }
  const kinds = new Map(fields.map((field) => [field.element.name, valueKind(field)]));
  const readable = header.filter((name) => kinds.get(name) !== undefined);
  const optional = new Map(
    fields.map(({ element }) => [element.name, element.repetition_type !== "REQUIRED"] as const),
  );
  const fault = faultOfPages(
    bytes,
    metadata,
    new Map([...optional].filter(([name]) => readable.includes(name))),
  );
  if (fault !== undefined) throw parquetError("a sound Parquet file", file, fault);

  const columns = new Map<string, Column>();
  for (const name of readable) {
    const source = { bytes, metadata, name, rowCount, file };
    columns.set(name, await readColumn(source, kinds.get(name) ?? "word"));
  }
  return {
    file,
    header,
    rowCount,
    column: (name) => {
      const values = columns.get(name);
      if (values === undefined) throw unsupportedColumn(name, file);
      return values;
    },
    placeOf: (row) => `row ${row + 1}`,
  };
}

function readMetadata(bytes: Uint8Array, file: string): FileMetaData {
  try {
    return parquetMetadata(bytes, { geoparquet: false });
  } catch {
    throw parquetError("the footer of a Parquet file", file, "something else");
  }
}

/** How the values of a field are held; `undefined` for those no table of features can hold. */
function valueKind({ element, children }: SchemaTree): "number" | "word" | undefined {
  const { type, repetition_type, converted_type, logical_type } = element;
  if (children.length > 0 || repetition_type === "REPEATED") return undefined;
  const meaning = logical_type?.type;
  const isNumber = converted_type === "DECIMAL" || meaning === "DECIMAL" || meaning === "FLOAT16";
  if (isNumber) return "number";
  switch (type) {
    case "INT32":
    case "INT64":
    case "INT96":
    case "FLOAT":
    case "DOUBLE":
      return "number";
    case "BOOLEAN":
      return "word";
    case "BYTE_ARRAY":
      return converted_type === "JSON" || converted_type === "BSON" ? undefined : "word";
    case "FIXED_LEN_BYTE_ARRAY":
      return meaning === "UUID" ? "word" : undefined;
    default:
      return undefined;
  }
}

interface ColumnSource {
  readonly bytes: Uint8Array;
  readonly metadata: FileMetaData;
  readonly name: string;
  readonly rowCount: number;
  readonly file: string;
}

async function readColumn(source: ColumnSource, kind: "number" | "word"): Promise<Column> {
  if (kind === "number") {
    const numbers = new Float64Array(source.rowCount);
    let isExact = true;
    await eachValue(source, (row, value) => {
      numbers[row] = numberOf(value);
      isExact &&= typeof value !== "bigint" || Number.isSafeInteger(numbers[row]);
    });
    if (isExact) return numbers;
  }
  const words = new Array<string>(source.rowCount).fill("");
  await eachValue(source, (row, value) => {
    if (value !== null && value !== undefined) words[row] = String(value);
  });
  return words;
}

async function eachValue(source: ColumnSource, use: (row: number, value: unknown) => void): Promise<void> {
  const { bytes, metadata, name, rowCount, file } = source;
  let seen = 0;
  await parquetRead({
    file: {
      byteLength: bytes.length,
      slice: (start, end) => Uint8Array.prototype.slice.call(bytes, start, end).buffer as ArrayBuffer,
    },
    metadata,
    columns: [name],
    compressors: parquetDecoders,
    geoparquet: false,
    onChunk: ({ columnData, rowStart }) => {
      for (let at = 0; at < columnData.length; at++) use(rowStart + at, columnData[at]);
      seen += columnData.length;
    },
  });
  if (seen !== rowCount) throw parquetError(`${rowCount} values in column \`${name}\``, file, String(seen));
}

function numberOf(value: unknown): number {
  if (value === null || value === undefined) return Number.NaN;
  return value instanceof Date ? value.getTime() : Number(value);
}

function parquetError(expected: string, file: string, got: string): LetheError {
  return new LetheError("data", "DATA_PARQUET", `Expected ${expected} in ${file}, got ${got}.`, {
    details: { file },
  });
}
