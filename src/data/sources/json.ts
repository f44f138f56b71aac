import { readBytes, unpack } from "../file.ts";
import { parseJsonTable } from "../json-table.ts";
import type { DatasetSource } from "../source.ts";
import { parseTableArgument, TABLE_FORM } from "../table-argument.ts";
import { loadTable } from "./table.ts";

const FORM = `json:FILE?${TABLE_FORM}`;
/** Every row becomes an object: reading takes about 10 times the file's size in memory. */
const MAX_JSON_BYTES = 128 * 2 ** 20;

/** The user's own rows as JSON objects. */
export const json: DatasetSource = {
  id: "json",
  form: FORM,
  title: "A table of JSON objects, in one array or one a line, plain or .gz",
  paper: "RFC 8259",
  licence: "the user's own",
  availability: async () => ({ available: true }),
  async load(text, options) {
    const { file, roles } = parseTableArgument(text, FORM);
    const bytes = await unpack(await readBytes(file, MAX_JSON_BYTES), file);
    return loadTable(parseJsonTable(bytes, file), roles, json, options);
  },
};
