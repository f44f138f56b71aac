import { expect, it } from "vitest";
import { blobs } from "../../test/support/blobs.ts";
import { deriveKey, keyFromSeed, randomStream } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { initialWeights } from "../models/architecture.ts";
import { createModel } from "../models/index.ts";
import { createPredictor } from "./predictor.ts";

const RUNTIME = { threads: 1, spinning: false };
const FEATURES = 3;
const CLASSES = 4;

/** Every tensor at random values, biases included. */
function randomWeights(weights: ParameterSet): ParameterSet {
  return new Map(
    [...weights].map(([name, values]) => {
      const stream = randomStream(deriveKey(keyFromSeed(1), name));
      return [name, values.map(() => stream.normal())];
    }),
  );
}

it("a forward pass over several batches and a part equals the hand-made one, row by row", async () => {
  const model = createModel("mlp:2", { inputShape: [FEATURES], classes: CLASSES });
  const weights = randomWeights(initialWeights(model, keyFromSeed(1)));
  const samples = blobs({ count: 1003, featureShape: [FEATURES], classes: CLASSES, seed: 4 });
  await using predictor = await createPredictor(model, RUNTIME);
  const logits = await predictor.logitsOf(weights, samples);
  expect(logits).toHaveLength(1003 * CLASSES);

  const [w1, b1, w2, b2] = ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"].map(
    (name) => weights.get(name) as Float32Array,
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const row = new Float32Array(FEATURES);
  for (const position of [0, 499, 500, 999, 1000, 1002]) {
    samples.gather([position], row);
    const hidden = [...b1].map((bias, j) =>
      Math.max(
        0,
        row.reduce((sum, x, i) => sum + x * (w1[i * 2 + j] as number), bias),
      ),
    );
    const expected = [...b2].map((bias, k) =>
      hidden.reduce((sum, h, j) => sum + h * (w2[j * CLASSES + k] as number), bias),
    );
    expected.forEach((value, k) => {
      expect(logits[position * CLASSES + k]).toBeCloseTo(value, 4);
    });
  }
});

it("raw inputs and samples give the same scores, and no inputs give none", async () => {
  const model = createModel("cnn", { inputShape: [1, 16, 16], classes: 3 });
  const weights = initialWeights(model, keyFromSeed(2));
  const samples = blobs({ count: 7, featureShape: [1, 16, 16], classes: 3, seed: 5 });
  const features = new Float32Array(7 * 256);
  samples.gather([0, 1, 2, 3, 4, 5, 6], features);
  await using predictor = await createPredictor(model, RUNTIME);
  expect(await predictor.logits(weights, features)).toEqual(await predictor.logitsOf(weights, samples));
  expect(await predictor.logits(weights, new Float32Array(0))).toHaveLength(0);
});

it("inputs that are no whole number of samples are refused", async () => {
  const model = createModel("logistic", { inputShape: [FEATURES], classes: CLASSES });
  await using predictor = await createPredictor(model, RUNTIME);
  await expect(
    predictor.logits(initialWeights(model, keyFromSeed(1)), new Float32Array(FEATURES + 1)),
  ).rejects.toMatchObject({ code: "LETHE_USAGE_FEED", kind: "usage" });
});
