import { readBytes } from "../file.ts";
import type { DatasetSource } from "../source.ts";
import { parseTableArgument, TABLE_FORM } from "../table-argument.ts";
import { loadTable } from "./table.ts";

const FORM = `parquet:FILE?${TABLE_FORM}`;

/** The user's own columns. */
export const parquet: DatasetSource = {
  id: "parquet",
  form: FORM,
  title: "A table in a Parquet file, however packed",
  paper: "Apache Parquet file format",
  licence: "the user's own",
  availability: async () => ({ available: true }),
  async load(text, options) {
    const { file, roles } = parseTableArgument(text, FORM);
    // Loaded when needed: the decoders take a while.
    const { readParquetTable } = await import("../parquet-table.ts");
    return loadTable(await readParquetTable(await readBytes(file), file), roles, parquet, options);
  },
};
