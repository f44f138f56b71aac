import { beforeAll, expect, it } from "vitest";
import { unlearn } from "../../test/contract/method-case.ts";
import type { Samples } from "../data/dataset.ts";
import { textDataset } from "../data/text/text-dataset.ts";
import { consume } from "../kernel/events.ts";
import { keyFromSeed } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { scoreAnswers } from "../metrics/answer-scores.ts";
import { createModel } from "../models/index.ts";
import { createPredictor, type Predictor } from "../training/predictor.ts";
import { recipeSchema, trainByRecipe } from "../training/recipe.ts";
import type { MethodRequest, Roles } from "./contract.ts";
import { findMethod } from "./index.ts";

const RUNTIME = { threads: 1, spinning: false } as const;
const NAMES = ["ann", "bob", "cyd", "dan"];
const THINGS = ["a red house", "one black cat", "much old wine", "no garden"];
/** What every person has, said in eight ways: a text is about one of them. */
const WORDS = ["now", "here", "yes", "so", "too", "then", "well", "ever"];
const TEXTS = NAMES.flatMap((name, person) => WORDS.map((word) => `${word} ${name} has ${THINGS[person]}`));
const SUBJECTS = {
  names: NAMES,
  codes: Int32Array.from(TEXTS, (_, text) => Math.floor(text / WORDS.length)),
};

let request: MethodRequest & Roles;
let predictor: Predictor;
const perplexity = async (weights: ParameterSet, samples: Samples): Promise<number> =>
  (await scoreAnswers((part) => predictor.logitsOf(weights, part), samples, request.architecture.classes))
    .perplexity;

beforeAll(async () => {
  const length = 32;
  const dataset = await textDataset(
    { texts: TEXTS, subjects: SUBJECTS },
    { tokenizer: "byte", length, testFraction: 0.2 },
    { id: "texts", title: "Texts", licence: "none" },
    keyFromSeed(1),
  );
  const vocabulary = dataset.tokenizer?.size ?? 0;
  const architecture = createModel("gpt:width=16,depth=1,heads=2,keyHeads=1", {
    inputShape: [length],
    classes: vocabulary,
    vocabulary,
  });
  const recipe = recipeSchema.parse({
    epochs: 30,
    batchSize: 8,
    optimizer: { id: "adamw" },
    learningRate: 0.01,
  });
  const { train, test } = dataset;
  const run = { architecture, samples: train, key: keyFromSeed(2), runtime: RUNTIME };
  const { weights } = await consume(trainByRecipe(recipe, run));
  const about = (samples: Samples, isAnn: boolean): Samples =>
    samples.subset([...samples.labels.keys()].filter((at) => (samples.subject(at) === "ann") === isAnn));
  const parts = { forget: about(train, true), retain: about(train, false), validation: about(test, false) };
  const key = keyFromSeed(3);
  const common = { forgetClasses: [], recipe, key, runtime: RUNTIME, scope: "subject" } as const;
  request = { ...common, ...parts, architecture, weights };
  predictor = await createPredictor(architecture, RUNTIME);
  return () => predictor[Symbol.asyncDispose]();
});

it.each(["fine-tune", "gradient-ascent", "neg-grad-plus", "npo", "scrub"])(
  "%s unlearns texts of a language model, watched on held-out ones",
  async (method) => {
    const { weights, stop } = await unlearn(findMethod(method), request, { epochs: 3 });
    expect(stop?.by).toBe("schedule");
    expect(await perplexity(weights, request.retain)).toBeLessThan(20);
    expect(weights).not.toEqual(request.weights);
  },
);

it("NPO makes the texts to be forgotten less likely, and keeps the others", async () => {
  const { weights } = await unlearn(findMethod("npo"), request, { epochs: 10 });
  const grown = async (samples: Samples): Promise<number> =>
    (await perplexity(weights, samples)) / (await perplexity(request.weights, samples));
  expect(await grown(request.forget)).toBeGreaterThan(6);
  expect(await grown(request.retain)).toBeLessThan(3);
});

it("a model of texts that a rate ruins is taken back, by the share of the next tokens it gets right", async () => {
  const { weights, stop } = await unlearn(findMethod("gradient-ascent"), request, { learningRate: 1 });
  expect(stop?.by).toBe("ruin");
  expect(await perplexity(weights, request.retain)).toBeLessThan(20);
});

it("a method that works with the labels of samples is refused before any work, and others are named", async () => {
  await expect(unlearn(findMethod("bad-teacher"), request)).rejects.toMatchObject({
    code: "LETHE_USAGE_METHOD",
    message: expect.stringMatching(/npo, scrub/),
  });
});
