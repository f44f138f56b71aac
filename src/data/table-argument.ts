import { type DatasetArgument, parseDatasetArgument, testFractionOf } from "./dataset-argument.ts";
import type { TableRoles } from "./table-dataset.ts";

/** A table's argument, taken apart. */
export interface TableArgument {
  readonly file: string;
  readonly roles: TableRoles;
  /** The rest of the parameters. */
  readonly argument: DatasetArgument;
}

/** The parameters every table has, for a source's form. */
export const TABLE_FORM = "label=COLUMN&subject=COLUMN&group=COLUMN&drop=COLUMN&test=0.2";

/**
 * Reads `FILE?label=COLUMN&…` with the roles of columns; only `label` is required, `group` and `drop` may be repeated.
 *
 * @param extra - further parameters the format has
 * @throws LETHE_USAGE_DATASET
 */
export function parseTableArgument(text: string, form: string, extra: readonly string[] = []): TableArgument {
  const argument = parseDatasetArgument(text, form, {
    single: ["label", "subject", "test", ...extra],
    repeated: ["group", "drop"],
  });
  const label = argument.one("label");
  if (argument.path === "" || !label) throw argument.fault("Expected a file and its label column");
  const subject = argument.one("subject");
  const roles = {
    label,
    ...(subject ? { subject } : {}),
    groups: argument.all("group"),
    drop: argument.all("drop"),
    testFraction: testFractionOf(argument),
  };
  return { file: argument.path, roles, argument };
}
