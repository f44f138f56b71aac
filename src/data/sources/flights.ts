import { LetheError } from "../../kernel/errors.ts";
import { readBytes } from "../file.ts";
import { flightsTable } from "../flights.ts";
import { parseJsonTable } from "../json-table.ts";
import { dataPackage } from "../npm-package.ts";
import { type DatasetSource, splitKeyOf } from "../source.ts";
import type { Table } from "../table.ts";
import { tableDataset } from "../table-dataset.ts";

/** The package's files that know airports and times (its 200,000 flights do not). */
const FILES: ReadonlyMap<string, string> = new Map([
  ["2k", "flights-2k.json"],
  ["5k", "flights-5k.json"],
  ["10k", "flights-10k.json"],
  ["20k", "flights-20k.json"],
  ["3m", "flights-3m.parquet"],
]);
const DEFAULT_SIZE = "20k";
/** A fifth, the usual share. */
const TEST_FRACTION = 0.2;

const data = dataPackage("vega-datasets");

/** Flights within the United States in 2001; airports are natural clients. */
export const flights: DatasetSource = {
  id: "flights",
  form: "flights[:2k|5k|10k|20k|3m]",
  title:
    "Flights: is a domestic flight of 2001 late by more than 15 minutes; groups origin, destination, weekday",
  paper: "U.S. Bureau of Transportation Statistics, on-time performance (14 CFR part 234)",
  licence: "public domain (U.S. Bureau of Transportation Statistics)",
  counts: { train: 16_000, test: 4_000, classes: 2 },
  availability: data.availability,
  async load(size, options) {
    const name = FILES.get(size || DEFAULT_SIZE);
    if (name === undefined) {
      throw new LetheError(
        "usage",
        "USAGE_DATASET",
        `Expected flights:SIZE with a size of ${[...FILES.keys()].join(", ")}, got \`flights:${size}\`.`,
      );
    }
    const { title, licence } = flights;
    const id = size === "" ? flights.id : `${flights.id}:${size}`;
    return tableDataset(
      flightsTable(await readTable(await data.path("data", name))),
      { label: "late", groups: ["origin", "destination", "weekday"], drop: [], testFraction: TEST_FRACTION },
      { id, title, licence },
      splitKeyOf(options),
    );
  },
};

async function readTable(path: string): Promise<Table> {
  const bytes = await readBytes(path);
  if (path.endsWith(".json")) return parseJsonTable(bytes, path);
  const { readParquetTable } = await import("../parquet-table.ts");
  return readParquetTable(bytes, path);
}
