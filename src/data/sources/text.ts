import { basename } from "node:path";
import { z } from "zod";
import { LetheError } from "../../kernel/errors.ts";
import { readBytes, unpack } from "../file.ts";
import { type DatasetSource, splitKeyOf } from "../source.ts";
import { categoryOf, encodeLabels } from "../table-labels.ts";
import { cutDocuments, DOCUMENT_KINDS } from "../text/documents.ts";
import { type TextTable, textDataset } from "../text/text-dataset.ts";

const FORM = "text:FILE?labels=tab&documents=paragraphs&tokenizer=byte&vocabulary=4096&length=64&test=0.1";
/** Characters a token stands for, about: stretches of text fill a window without much padding. */
const CHARACTERS = { byte: 1, bpe: 4 } as const;
/** Tokens take eight times the bytes of the text in memory. */
const MAX_TEXT_BYTES = 128 * 2 ** 20;
/** Attention takes memory by the square of this. */
const MAX_LENGTH = 4096;
/** As GPT-2's own vocabulary. */
const MAX_VOCABULARY = 50_257;

/** Settings behind the `?`; the only place where their defaults live. */
const settingsSchema = z
  .strictObject({
    /** `tab`: every line is LABEL, a tab, the text. `none`: text for a language model. */
    labels: z.enum(["none", "tab"]).default("none"),
    /** `tab`: every line is SUBJECT, a tab, text for a language model; nothing before the tab names nobody. */
    subjects: z.enum(["none", "tab"]).default("none"),
    /**
     * What a text of its own is, where every line is not: paragraphs between empty lines, lines, or stretches of about a window;
     * `auto` takes the first of these that gives enough texts to put some aside.
     */
    documents: z.enum(["auto", ...DOCUMENT_KINDS]).default("auto"),
    tokenizer: z.enum(["byte", "bpe"]).default("byte"),
    vocabulary: z.coerce.number().int().min(1).max(MAX_VOCABULARY).default(4096),
    length: z.coerce.number().int().min(2).max(MAX_LENGTH).default(64),
    test: z.coerce.number().gt(0).lt(1).default(0.1),
  })
  .refine(({ labels, subjects }) => labels === "none" || subjects === "none", "labels or subjects, not both");

type TextSettings = z.output<typeof settingsSchema>;

/** The user's own text: for a language model, or lines with labels for a classifier. */
export const text: DatasetSource = {
  id: "text",
  form: FORM,
  title: "Text in a UTF-8 file, plain or .gz: documents, or lines LABEL<tab>TEXT",
  paper: "the user's own",
  licence: "the user's own",
  availability: async () => ({ available: true }),
  async load(argument, options) {
    const { file, settings } = parseTextArgument(argument);
    const bytes = await unpack(await readBytes(file, MAX_TEXT_BYTES), file);
    const contents = decodeText(bytes, file);
    const table = tableOf(contents, file, settings);
    const name = basename(file);
    return textDataset(
      table,
      { ...settings, mostTokens: settings.vocabulary, testFraction: settings.test },
      { id: `text:${name}`, title: `Text ${name}`, licence: text.licence },
      splitKeyOf(options),
    );
  },
};

/**
 * Reads `FILE?length=64&…`; the settings may be left out.
 *
 * @throws LETHE_USAGE_DATASET
 */
export function parseTextArgument(argument: string): {
  readonly file: string;
  readonly settings: TextSettings;
} {
  const mark = argument.lastIndexOf("?");
  const file = mark < 0 ? argument : argument.slice(0, mark);
  const pairs = mark < 0 ? [] : [...new URLSearchParams(argument.slice(mark + 1))];
  const parsed = settingsSchema.safeParse(Object.fromEntries(pairs));
  const isRepeated = new Set(pairs.map(([name]) => name)).size < pairs.length;
  if (parsed.success && !isRepeated && file !== "") return { file, settings: parsed.data };
  const reason = parsed.success ? "a file, and no setting twice" : z.prettifyError(parsed.error);
  throw new LetheError(
    "usage",
    "USAGE_DATASET",
    `Expected valid settings in \`text:${argument}\`: ${reason}. Write ${FORM}; all settings may be left out.`,
    { details: { argument } },
  );
}

function decodeText(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new LetheError(
      "data",
      "DATA_TEXT",
      `Expected UTF-8 text in ${file}, got other bytes. Convert it first.`,
      {
        details: { file },
        cause,
      },
    );
  }
}

function tableOf(contents: string, file: string, settings: TextSettings): TextTable {
  if (settings.labels === "tab") return labelledLines(contents, file);
  if (settings.subjects === "tab") return subjectLines(contents, file);
  const { documents, length, tokenizer, test } = settings;
  const stretch = length * CHARACTERS[tokenizer];
  return withDocuments(cutDocuments(contents, { documents, stretch, testFraction: test }));
}

/** Every text is a group of its own, so that a request can name it. */
function withDocuments(texts: readonly string[]): TextTable {
  const names = texts.map((_, index) => String(index));
  return { texts, groups: { document: { codes: Int32Array.from(texts, (_, index) => index), names } } };
}

function subjectLines(contents: string, file: string): TextTable {
  const rows = tabbedLines(contents, file, "SUBJECT, or nothing", 0);
  return {
    ...withDocuments(rows.map(({ text }) => text)),
    subjects: categoryOf(rows.map(({ name }) => name)),
  };
}

function labelledLines(contents: string, file: string): TextTable {
  const rows = tabbedLines(contents, file, "LABEL", 1);
  const labels = encodeLabels({
    name: "label",
    values: rows.map(({ name }) => name),
    table: { file, placeOf: (row) => `line ${rows[row]?.number}` },
  });
  return { texts: rows.map(({ text }) => text), labels };
}

/** Lines of a name of at least so many characters, a tab and a text. */
function tabbedLines(
  contents: string,
  file: string,
  expected: string,
  leastName: number,
): readonly { readonly name: string; readonly text: string; readonly number: number }[] {
  return contents
    .split(/\r?\n/)
    .map((line, index) => ({ line, number: index + 1 }))
    .filter(({ line }) => line.trim() !== "")
    .map(({ line, number }) => {
      const tab = line.indexOf("\t");
      if (tab >= leastName) return { name: line.slice(0, tab), text: line.slice(tab + 1), number };
      throw new LetheError(
        "data",
        "DATA_TEXT",
        `Expected ${expected}, a tab and the text on every line of ${file}, got another line ${number}.`,
        { details: { file, line: number } },
      );
    });
}
