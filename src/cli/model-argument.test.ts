import { expect, it } from "vitest";
import { samplesOf } from "../data/samples.ts";
import { byteTokenizer } from "../data/text/byte-tokenizer.ts";
import { textDataset } from "../data/text/text-dataset.ts";
import { keyFromSeed } from "../kernel/key.ts";
import { chooseModel } from "./model-argument.ts";

const TEXTS = Array.from({ length: 10 }, (_, n) => `text number ${n}`);
const OPTIONS = { tokenizer: "byte", length: 8, testFraction: 0.2 } as const;
const DESCRIPTION = { id: "t", title: "T", licence: "none" } as const;
const language = () => textDataset({ texts: TEXTS }, OPTIONS, DESCRIPTION, keyFromSeed(1));
const classified = () =>
  textDataset(
    { texts: TEXTS, labels: { codes: Int32Array.from(TEXTS, (_, n) => n % 2), names: ["even", "odd"] } },
    OPTIONS,
    DESCRIPTION,
    keyFromSeed(1),
  );

it("makes a model of text as large as the vocabulary and the samples", async () => {
  expect(chooseModel("gpt2:width=8,heads=2", await language())).toMatchObject({
    inputShape: [8],
    labelShape: [8],
    classes: byteTokenizer.size,
  });
  expect(chooseModel("lstm:4", await classified())).toMatchObject({
    inputShape: [8],
    labelShape: [],
    classes: 2,
  });
});

it.each([
  ["a classifier for data whose answers are words", "text-mlp", language, "at every position"],
  ["a language model for data with classes", "gpt", classified, "2 classes"],
])("refuses %s", async (_what, model, load, message) => {
  const dataset = await load();
  expect(() => chooseModel(model, dataset)).toThrowError(
    expect.objectContaining({ code: "LETHE_DATA_MODEL", message: expect.stringContaining(message) }),
  );
});

it("refuses a model of text for numbers", () => {
  const samples = samplesOf({
    idPrefix: "n",
    featureShape: [3],
    features: { values: new Float32Array(3) },
    labels: Int32Array.of(0),
    classCount: 2,
  });
  const numbers = {
    ...DESCRIPTION,
    classNames: ["a", "b"],
    featureShape: [3],
    train: samples,
    test: samples,
  };
  expect(() => chooseModel("lstm", numbers)).toThrowError(
    expect.objectContaining({ code: "LETHE_USAGE_MODEL" }),
  );
});
