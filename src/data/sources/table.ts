import { basename } from "node:path";
import type { Dataset } from "../dataset.ts";
import { type DatasetSource, type LoadOptions, splitKeyOf } from "../source.ts";
import type { Table } from "../table.ts";
import { type TableRoles, tableDataset } from "../table-dataset.ts";

/** The dataset of a user's own table, named after its file. */
export function loadTable(
  table: Table,
  roles: TableRoles,
  source: DatasetSource,
  options: LoadOptions,
): Dataset {
  const name = basename(table.file);
  const description = { id: `${source.id}:${name}`, title: `Table ${name}`, licence: source.licence };
  return tableDataset(table, roles, description, splitKeyOf(options));
}
