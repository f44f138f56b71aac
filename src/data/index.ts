import { LetheError } from "../kernel/errors.ts";
import type { Dataset } from "./dataset.ts";
import type { Availability, DatasetSource, LoadOptions } from "./source.ts";
import { cifar10 } from "./sources/cifar10.ts";
import { csv } from "./sources/csv.ts";
import { digits } from "./sources/digits.ts";
import { fashionMnist } from "./sources/fashion-mnist.ts";
import { flights } from "./sources/flights.ts";
import { idx } from "./sources/idx.ts";
import { images } from "./sources/images.ts";
import { json } from "./sources/json.ts";
import { mails } from "./sources/mails.ts";
import { mnist } from "./sources/mnist.ts";
import { npz } from "./sources/npz.ts";
import { parquet } from "./sources/parquet.ts";
import { text } from "./sources/text.ts";

export type { Dataset, Samples } from "./dataset.ts";
export type { Availability, LoadOptions } from "./source.ts";

/** Every source, in the order of the list. */
const sources: readonly DatasetSource[] = [
  mnist,
  fashionMnist,
  digits,
  flights,
  mails,
  idx,
  images,
  cifar10,
  npz,
  csv,
  json,
  parquet,
  text,
];

/** What stands before the colon of each dataset's name. */
export const datasetIds: readonly string[] = sources.map(({ id }) => id);

/** One line of the list of datasets. */
export type DatasetListing = Pick<DatasetSource, "id" | "form" | "title" | "paper" | "licence"> & {
  /** `null` for a format, whose counts depend on the user's file. */
  readonly counts: DatasetSource["counts"] | null;
} & Availability;

/**
 * Loads the dataset a person names, such as `mnist`, `images:DIR` or `csv:FILE?label=COLUMN&subject=COLUMN&group=COLUMN`.
 *
 * @throws LETHE_USAGE_DATASET for a name no source answers to, and whatever the source finds wrong with its files
 * (kind `data`) or argument (kind `usage`)
 * @example
 * const { train, test } = await loadDataset("mnist");
 */
export async function loadDataset(name: string, options: LoadOptions = {}): Promise<Dataset> {
  const colon = name.indexOf(":");
  const id = colon < 0 ? name : name.slice(0, colon);
  const argument = colon < 0 ? "" : name.slice(colon + 1);
  const source = sources.find((candidate) => candidate.id === id);
  if (!source) throw nameError(name, sources.map((candidate) => candidate.form).join(", "));
  const isOptional = source.form.includes("[:");
  const needsArgument = isOptional ? colon >= 0 : source.form.includes(":");
  const isWellFormed = needsArgument ? argument !== "" : colon < 0;
  if (!isWellFormed) throw nameError(name, source.form);
  return source.load(argument, options);
}

/** Every dataset and format, and whether it is at hand. Reads no data. */
export async function listDatasets(options: LoadOptions = {}): Promise<readonly DatasetListing[]> {
  return Promise.all(
    sources.map(async (source) => {
      const { id, form, title, paper, licence, counts = null } = source;
      return { id, form, title, paper, licence, counts, ...(await source.availability(options)) };
    }),
  );
}

function nameError(name: string, forms: string): LetheError {
  return new LetheError("usage", "USAGE_DATASET", `Expected a dataset such as ${forms}, got \`${name}\`.`, {
    details: { name },
  });
}
