import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Samples } from "../dataset.ts";
import { IGNORED_LABEL } from "../dataset.ts";
import { loadDataset } from "../index.ts";
import { fitBpeTokenizer } from "./bpe-tokenizer.ts";
import { byteTokenizer } from "./byte-tokenizer.ts";
import { cutDocuments } from "./documents.ts";
import { languageWindows } from "./language-windows.ts";
import { readTokenizer } from "./read-tokenizer.ts";
import { tokenRows } from "./token-rows.ts";
import { FIRST_TOKEN, SPECIAL_TOKENS } from "./tokenizer.ts";
import { vocabularyExposure } from "./vocabulary-exposure.ts";

const TEXTS = ["The cat sat on the mat.", "A cat, a mat — and „naïve“ Ωμέγα 🙂", "<|endoftext|> is text"];

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "lethe-text-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

const fileOf = (name: string, contents: string | Uint8Array): string => {
  const path = join(directory, name);
  writeFileSync(path, contents);
  return path;
};

describe("a byte tokenizer", () => {
  it("gives back every text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const ids = byteTokenizer.encode(text);
        expect(byteTokenizer.decode([SPECIAL_TOKENS.padding, ...ids, SPECIAL_TOKENS.end])).toBe(text);
        expect(ids.every((id) => id >= FIRST_TOKEN && id < byteTokenizer.size)).toBe(true);
      }),
    );
  });
});

describe("a byte pair tokenizer", () => {
  it("gives back the texts it was fitted on, in fewer tokens than bytes, and nothing else has an id", async () => {
    const tokenizer = await fitBpeTokenizer(TEXTS, "x/train");
    const used = new Set<number>();
    for (const text of TEXTS) {
      const ids = tokenizer.encode(text);
      for (const id of ids) used.add(id);
      expect(tokenizer.decode(ids)).toBe(text);
      expect(ids.length).toBeLessThan(byteTokenizer.encode(text).length);
    }
    expect([...used].sort((a, b) => a - b)).toEqual(
      Array.from({ length: tokenizer.size - FIRST_TOKEN }, (_, index) => FIRST_TOKEN + index),
    );
  });

  it("has one unknown token for all it did not see", async () => {
    const tokenizer = await fitBpeTokenizer(TEXTS, "x/train");
    expect(new Set(tokenizer.encode(" zebra"))).toEqual(new Set([SPECIAL_TOKENS.unknown]));
    expect(tokenizer.decode(tokenizer.encode("The zebra"))).toBe("The");
  });

  it("keeps the most frequent tokens where there is a limit", async () => {
    const tokenizer = await fitBpeTokenizer([" cat cat cat dog dog mouse"], "x/train", 2);
    expect(tokenizer.size).toBe(FIRST_TOKEN + 2);
    expect(tokenizer.decode(tokenizer.encode(" dog mouse cat"))).toBe(" dog cat");
  });

  it("is the same again from its stored record, which a digest names", async () => {
    const tokenizer = await fitBpeTokenizer(TEXTS, "x/train");
    const again = await readTokenizer(JSON.parse(JSON.stringify(tokenizer.record)), "tokenizer.json");
    expect(again.digest).toBe(tokenizer.digest);
    expect(again.encode(TEXTS[0] as string)).toEqual(tokenizer.encode(TEXTS[0] as string));
    expect((await fitBpeTokenizer(TEXTS.slice(1), "x/train")).digest).not.toBe(tokenizer.digest);
    expect((await readTokenizer({ kind: "byte" }, "tokenizer.json")).digest).toBe(byteTokenizer.digest);
    await expect(readTokenizer({ kind: "bpe", tokens: "all" }, "tokenizer.json")).rejects.toMatchObject({
      code: "LETHE_DATA_TOKENIZER",
    });
  });
});

describe("texts as samples", () => {
  it("of a classifier are cut at the end and filled up in front", () => {
    expect([...tokenRows([[5, 6], [], [7, 8, 9, 10]], 3)]).toEqual([0, 5, 6, 0, 0, 0, 7, 8, 9]);
  });

  it("of a language model ask once for every token but the first, and for the end", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: FIRST_TOKEN, max: 20 }), { maxLength: 9 }), { maxLength: 4 }),
        fc.integer({ min: 1, max: 5 }),
        (texts, length) => {
          const { features, targets, textOf } = languageWindows(texts, length);
          texts.forEach((ids, text) => {
            const windows = [...textOf.keys()].filter((window) => textOf[window] === text);
            const of = (rows: Float32Array | Int32Array, left: number): number[] =>
              windows
                .flatMap((w) => [...rows.slice(w * length, (w + 1) * length)])
                .filter((id) => id !== left);
            expect(of(features, SPECIAL_TOKENS.padding)).toEqual(ids);
            expect(of(targets, IGNORED_LABEL)).toEqual(
              ids.length === 0 ? [] : [...ids.slice(1), SPECIAL_TOKENS.end],
            );
          });
        },
      ),
    );
  });
});

describe("a text file", () => {
  const paragraphs = Array.from({ length: 20 }, (_, n) => `Paragraph ${n}\nof two lines.`).join("\n\n");

  it("becomes windows for a language model, each of one document, that no test document shares", async () => {
    const { train, test, tokenizer, featureShape } = await loadDataset(
      `text:${fileOf("a.txt", paragraphs)}?length=16`,
    );
    expect(featureShape).toEqual([16]);
    const documents = (part: Samples): Set<string> =>
      new Set(Array.from({ length: part.count }, (_, at) => part.groups(at).document as string));
    expect(documents(train).size).toBe(18);
    expect(documents(test).size).toBe(2);
    expect([...documents(train)].filter((name) => documents(test).has(name))).toEqual([]);
    const rows = new Float32Array(train.count * 16);
    train.gather(
      Uint32Array.from({ length: train.count }, (_, at) => at),
      rows,
    );
    expect(tokenizer?.decode(rows.slice(0, 2 * 16))).toMatch(/^Paragraph \d+\nof two lines\.$/);
  });

  it("of labelled lines becomes classified texts", async () => {
    const lines = Array.from({ length: 12 }, (_, n) =>
      n % 3 === 0 ? "spam\tbuy now" : "ham\tsee you\tsoon",
    );
    const { train, classNames } = await loadDataset(
      `text:${fileOf("b.tsv", lines.join("\r\n"))}?labels=tab&tokenizer=bpe&length=8`,
    );
    expect(classNames).toEqual(["ham", "spam"]);
    expect(train.targets).toBeUndefined();
    expect([...train.labels].filter((label) => label === 1)).toHaveLength(4);
  });

  it.each([
    ["lines", Array.from({ length: 20 }, (_, n) => `Line ${n} of one paragraph.`).join("\n"), 20],
    ["stretches of words", "All of it on one line, again and again. ".repeat(20), 60],
  ])(
    "without paragraphs becomes %s, so that one file of text can be trained on",
    async (_what, contents, count) => {
      const { train, test } = await loadDataset(`text:${fileOf("one.txt", contents)}?length=16`);
      const documents = [train, test].flatMap((part) =>
        Array.from({ length: part.count }, (_, at) => part.groups(at).document as string),
      );
      expect(test.count).toBeGreaterThan(0);
      expect(new Set(documents).size).toBe(count);
    },
  );

  it("cut into stretches loses no character and ends none within a word that fits", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", maxLength: 80 }),
        fc.integer({ min: 2, max: 9 }),
        (text, stretch) => {
          const solid = text.replace(/\s+/gu, "_");
          const cut = cutDocuments(solid, { documents: "stretches", stretch, testFraction: 0.1 });
          expect(cut.join("")).toBe(solid);
          expect(cut.every((part) => [...part].length <= stretch)).toBe(true);
        },
      ),
    );
    expect(cutDocuments("one two three", { documents: "stretches", stretch: 8, testFraction: 0.1 })).toEqual([
      "one two ",
      "three",
    ]);
  });

  it("of lines with subjects says whom every window is about", async () => {
    const lines = Array.from(
      { length: 20 },
      (_, n) => `${n % 4 === 0 ? "" : `ann${n % 4}`}\tsays that it is ${n}`,
    );
    const { train } = await loadDataset(`text:${fileOf("s.tsv", lines.join("\n"))}?subjects=tab&length=8`);
    const named = Array.from({ length: train.count }, (_, at) => train.subject(at));
    expect(new Set(named)).toEqual(new Set([undefined, "ann1", "ann2", "ann3"]));
    expect(train.targets).toBeDefined();
  });

  it.each([
    ["labels beside subjects", "a\tx\nb\ty", "?labels=tab&subjects=tab", "LETHE_USAGE_DATASET"],
    ["a line without a tab", "spam\tx\nham", "?labels=tab", "LETHE_DATA_TEXT"],
    ["bytes that are no UTF-8", Uint8Array.of(0xff, 0xfe, 0x41), "", "LETHE_DATA_TEXT"],
    ["nothing", "", "", "LETHE_DATA_EMPTY"],
    ["one text", "alone", "", "LETHE_DATA_EMPTY"],
    ["one class", "a\tx\na\ty", "?labels=tab", "LETHE_DATA_ONE_CLASS"],
    ["an unknown setting", "x", "?lenght=3", "LETHE_USAGE_DATASET"],
    ["a setting given twice", "x", "?length=3&length=4", "LETHE_USAGE_DATASET"],
    ["a length of one", "x", "?length=1", "LETHE_USAGE_DATASET"],
  ])("is refused: %s", async (_what, contents, settings, code) => {
    await expect(loadDataset(`text:${fileOf("bad.txt", contents)}${settings}`)).rejects.toMatchObject({
      code,
    });
  });
});

describe("what a vocabulary owes to samples", () => {
  // One spam is put aside for testing, so at least one of the two words that occur once is left.
  const once = ["spam\tcheap watches", "spam\tcheap pills"];
  const often = ["ham\tsee you there", "ham\tsee you", "spam\tcheap cheap", "ham\tyou there"];
  const load = async (tokenizer: string) =>
    loadDataset(
      `text:${fileOf("c.tsv", [...once, ...often, ...often].join("\n"))}?labels=tab&tokenizer=${tokenizer}&length=8&test=0.2`,
    );

  it("is the tokens that no other sample holds, if it was fitted on them", async () => {
    const { train, test, tokenizer } = await load("bpe");
    if (tokenizer === undefined) throw new Error("text without a tokenizer");
    const row = new Float32Array(8);
    const holding = (word: string): number[] =>
      Array.from({ length: train.count }, (_, at) => at).filter((at) => {
        train.gather([at], row);
        return tokenizer.decode(row).includes(word);
      });
    const word = holding("watches").length > 0 ? "watches" : "pills";
    const forget = holding(word);
    expect(forget).toHaveLength(1);
    const retain = train.subset(
      Array.from({ length: train.count }, (_, at) => at).filter((at) => !forget.includes(at)),
    );
    expect(vocabularyExposure(tokenizer.record, train.subset(forget), retain)).toEqual({
      seenSamples: 1,
      ownedTokens: tokenizer.encode(` ${word}`).length,
    });
    expect(vocabularyExposure(tokenizer.record, test, train)).toEqual({ seenSamples: 0, ownedTokens: 0 });
  });

  it("is nothing where the vocabulary is bytes", async () => {
    const { train, tokenizer } = await load("byte");
    expect(
      vocabularyExposure(tokenizer?.record ?? { kind: "byte" }, train.subset([0]), train.subset([1])),
    ).toEqual({
      seenSamples: 0,
      ownedTokens: 0,
    });
  });
});
