import { LetheError } from "../../kernel/errors.ts";
import type { Key } from "../../kernel/key.ts";
import type { Dataset, Samples } from "../dataset.ts";
import { type CategoryColumn, type SampleColumns, samplesOf } from "../samples.ts";
import { stratifiedSplit } from "../split.ts";
import { fitBpeTokenizer } from "./bpe-tokenizer.ts";
import { byteTokenizer } from "./byte-tokenizer.ts";
import { languageWindows } from "./language-windows.ts";
import { tokenRows } from "./token-rows.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** Texts and what is known of them. */
export interface TextTable {
  readonly texts: readonly string[];
  /** Class of each text; left out for a language model, whose answers are the next tokens. */
  readonly labels?: CategoryColumn;
  /** Whom each text is about; the empty word names nobody. */
  readonly subjects?: CategoryColumn;
  readonly groups?: Readonly<Record<string, CategoryColumn>>;
}

/** How samples are made of texts. */
export interface TextOptions {
  readonly tokenizer: "byte" | "bpe";
  /** Tokens of a sample. */
  readonly length: number;
  /** Own tokens of a `bpe` vocabulary at most; all that occur when left out. */
  readonly mostTokens?: number;
  /** Share of the texts that is put aside, in (0, 1). */
  readonly testFraction: number;
}

/**
 * Makes a dataset of texts: classified texts of one length, or windows for a language model. A text is wholly in the training
 * or in the test part, and a vocabulary is fitted on the training part alone. Training samples are called `ID/train/i`.
 *
 * @param splitKey - decides which texts become the test part
 * @throws LETHE_DATA_EMPTY when either part has no token
 */
export async function textDataset(
  table: TextTable,
  options: TextOptions,
  description: Pick<Dataset, "id" | "title" | "licence">,
  splitKey: Key,
): Promise<Dataset> {
  const { labels } = table;
  const codes = labels?.codes ?? new Int32Array(table.texts.length);
  const classNames = labels?.names ?? ["text"];
  const split = stratifiedSplit(codes, classNames.length, options.testFraction, splitKey);
  const train = partOf(table, split.train);
  const prefix = `${description.id}/train`;
  const tokenizer =
    options.tokenizer === "byte"
      ? byteTokenizer
      : await fitBpeTokenizer(train.texts, prefix, options.mostTokens);
  const samples = (part: TextTable, idPrefix: string): Samples =>
    samplesOf({ idPrefix, ...columnsOf(part, tokenizer, options.length), classCount: classNames.length });
  const dataset = {
    ...description,
    classNames,
    featureShape: [options.length],
    tokenizer,
    train: samples(train, prefix),
    test: samples(partOf(table, split.test), `${description.id}/test`),
  };
  if (dataset.train.count > 0 && dataset.test.count > 0) return Object.freeze(dataset);
  throw new LetheError(
    "data",
    "DATA_EMPTY",
    `Expected enough text in ${description.id} to put some aside for testing, got ${table.texts.length} texts. Give more text, a larger test fraction or, of unlabelled text, a smaller length.`,
    { details: { texts: table.texts.length } },
  );
}

function columnsOf(
  { texts, labels, subjects, groups = {} }: TextTable,
  tokenizer: Tokenizer,
  length: number,
): Omit<SampleColumns, "idPrefix" | "classCount"> {
  const ids = texts.map((text) => tokenizer.encode(text));
  const featureShape = [length];
  if (labels !== undefined) {
    const features = { values: tokenRows(ids, length) };
    return { featureShape, features, labels: labels.codes, ...(subjects && { subjects }), groups };
  }
  const windows = languageWindows(ids, length);
  const spread = (column: CategoryColumn): CategoryColumn => ({
    codes: windows.textOf.map((text) => column.codes[text] as number),
    names: column.names,
  });
  return {
    featureShape,
    features: { values: windows.features },
    targets: { shape: featureShape, values: windows.targets },
    labels: new Int32Array(windows.textOf.length),
    ...(subjects && { subjects: spread(subjects) }),
    groups: Object.fromEntries(Object.entries(groups).map(([name, column]) => [name, spread(column)])),
  };
}

function partOf(table: TextTable, positions: Uint32Array): TextTable {
  const pick = (column: CategoryColumn): CategoryColumn => ({
    codes: Int32Array.from(positions, (position) => column.codes[position] as number),
    names: column.names,
  });
  const { labels, subjects, groups = {} } = table;
  return {
    texts: Array.from(positions, (position) => table.texts[position] as string),
    ...(labels && { labels: pick(labels) }),
    ...(subjects && { subjects: pick(subjects) }),
    groups: Object.fromEntries(Object.entries(groups).map(([name, column]) => [name, pick(column)])),
  };
}
