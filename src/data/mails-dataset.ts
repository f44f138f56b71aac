import type { Key } from "../kernel/key.ts";
import { byteRows } from "./byte-rows.ts";
import type { Dataset } from "./dataset.ts";
import { hashedWords } from "./hashed-words.ts";
import { parseMail } from "./mail.ts";
import { pseudonym } from "./pseudonym.ts";
import { type FeatureColumn, samplesOf } from "./samples.ts";
import { stratifiedSplit } from "./split.ts";
import { categoryOf, codesOf } from "./table-labels.ts";

/** A mail as the collection holds it. */
export interface CollectedMail {
  /** The part of the collection it lies in, such as `spam-1`: what begins with `spam` is spam. */
  readonly collection: string;
  readonly text: string;
}

/** What a model sees of a mail: words in buckets, or its first bytes as tokens. */
export type MailFeatures =
  | { readonly kind: "bow"; readonly width: number }
  | { readonly kind: "tokens"; readonly length: number };

/** In alphabetical order, as the classes of every dataset made of words. */
const CLASS_NAMES = ["ham", "spam"];
/** A fifth, the usual share. */
const TEST_FRACTION = 0.2;

/**
 * Makes a dataset of mails, ham or spam, of their title and body. The subject of a sample is its sender as a {@link pseudonym};
 * the group `collection` says where it lay. Mail `i` of the list has the id `ID/i` in either part.
 *
 * @param splitKey - decides which mails become the test part
 */
export function mailsDataset(
  mails: readonly CollectedMail[],
  features: MailFeatures,
  description: Pick<Dataset, "id" | "title" | "licence">,
  splitKey: Key,
): Dataset {
  const parsed = mails.map(({ text }) => parseMail(text));
  const texts = parsed.map(({ title, body }) => `${title}\n${body}`);
  const collections = mails.map(({ collection }) => collection);
  const classes = collections.map((name) => (name.startsWith("spam") ? "spam" : "ham"));
  const samples = samplesOf({
    idPrefix: description.id,
    ...columnsOf(texts, features),
    labels: codesOf(classes, CLASS_NAMES),
    classCount: CLASS_NAMES.length,
    // The same salt for all features, so that a sender has one pseudonym.
    subjects: categoryOf(parsed.map(({ sender }) => (sender ? pseudonym("lethe mails", sender) : ""))),
    groups: { collection: categoryOf(collections) },
  });
  const split = stratifiedSplit(samples.labels, CLASS_NAMES.length, TEST_FRACTION, splitKey);
  return Object.freeze({
    ...description,
    classNames: CLASS_NAMES,
    featureShape: samples.featureShape,
    train: samples.subset(split.train),
    test: samples.subset(split.test),
  });
}

function columnsOf(
  texts: readonly string[],
  features: MailFeatures,
): { readonly featureShape: readonly number[]; readonly features: FeatureColumn } {
  switch (features.kind) {
    case "bow":
      return { featureShape: [features.width], features: hashedWords(texts, features.width) };
    case "tokens":
      return { featureShape: [features.length], features: { values: byteRows(texts, features.length) } };
    default:
      return features satisfies never;
  }
}
