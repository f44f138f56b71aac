import type { FileMetaData } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import { hasSoundRuns } from "./parquet-runs.ts";

/** A page may always unpack to this much … */
const SMALL_BYTES = 16 * 2 ** 20;
/** … and beyond it to this multiple of its packed size. */
const MAX_EXPANSION = 100;
/** A table may always have this many cells (run lengths pack constant columns without limit) … */
const SMALL_CELLS = 2 ** 24;
/** … and beyond it this many for every byte of the file. */
const MAX_CELLS_PER_BYTE = 8;

type ColumnChunk = FileMetaData["row_groups"][number]["columns"][number];

/**
 * What is wrong with the sizes a Parquet file declares: rows that do not add up, pages outside the file, more values than rows,
 * and anything that would unpack out of proportion. The reader trusts these numbers and would reserve memory for them.
 *
 * @param columns - names of the top-level columns to look at, which hold one value a row; true where it may be absent
 * @returns `undefined` where all is sound
 */
export function faultOfPages(
  bytes: Uint8Array,
  metadata: FileMetaData,
  columns: ReadonlyMap<string, boolean>,
): string | undefined {
  const rows = Number(metadata.num_rows);
  const groupRows = metadata.row_groups.map((group) => Number(group.num_rows));
  if (!groupRows.every((count) => count >= 0) || groupRows.reduce((sum, count) => sum + count, 0) !== rows) {
    return "row groups that do not add up to its rows";
  }
  if (rows * columns.size > Math.max(SMALL_CELLS, MAX_CELLS_PER_BYTE * bytes.length)) {
    return `${rows} rows, out of proportion to its ${bytes.length} bytes`;
  }
  for (const [at, group] of metadata.row_groups.entries()) {
    for (const chunk of group.columns) {
      const name = chunk.meta_data?.path_in_schema[0];
      const isOptional = name === undefined ? undefined : columns.get(name);
      if (isOptional === undefined) continue;
      const fault = faultOfChunk(bytes, chunk, groupRows[at] as number, isOptional);
      if (fault !== undefined) return `${fault} in column \`${name}\``;
    }
  }
  return undefined;
}

function faultOfChunk(
  bytes: Uint8Array,
  { meta_data, file_path }: ColumnChunk,
  rows: number,
  isOptional: boolean,
): string | undefined {
  if (meta_data === undefined || file_path) return "values in another file";
  const start = Number(meta_data.dictionary_page_offset || meta_data.data_page_offset);
  const end = start + Number(meta_data.total_compressed_size);
  if (!(start >= 0 && end > start && end <= bytes.length)) return "pages outside the file";
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset + start, end - start), offset: 0 };
  let values = 0;
  while (values < rows && reader.offset < end - start - 1) {
    const header = parquetHeader(reader);
    const packed = header.compressed_page_size;
    const unpacked = header.uncompressed_page_size;
    if (!(packed >= 0) || reader.offset + packed > end - start) return "a page longer than its column";
    if (!(unpacked >= 0 && unpacked <= Math.max(SMALL_BYTES, MAX_EXPANSION * packed))) {
      return "a page that unpacks out of proportion";
    }
    const page = bytes.subarray(start + reader.offset, start + reader.offset + packed);
    if (!hasSoundRuns(page, header, meta_data, isOptional)) return "a run of more values than its page has";
    reader.offset += packed;
    const dictionary = header.dictionary_page_header?.num_values ?? 0;
    // The shortest value takes a byte.
    if (!(dictionary >= 0 && dictionary <= unpacked)) return "a dictionary longer than its page";
    const data = (header.data_page_header ?? header.data_page_header_v2)?.num_values ?? 0;
    if (!(data >= 0)) return "a page of a negative number of values";
    values += data;
  }
  return values === rows ? undefined : `${values} values for ${rows} rows`;
}
