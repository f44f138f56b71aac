import { describe, expect, it } from "vitest";
import { blobs } from "../../test/support/blobs.ts";
import { operators } from "../autodiff/operators/index.ts";
import { consume } from "../kernel/events.ts";
import { keyFromSeed } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { readModel } from "../onnx/read-model.ts";
import { train } from "../training/loop.ts";
import { parseOptimizer } from "../training/optimizers.ts";
import { createPredictor } from "../training/predictor.ts";
import { createTrainer } from "../training/trainer.ts";
import { type Architecture, initialWeights } from "./architecture.ts";
import { createModel } from "./index.ts";
import { onnxArchitecture, writeClassifier } from "./onnx-model.ts";
import { selectTrainable } from "./select-trainable.ts";

const RUNTIME = { threads: 1, spinning: false };
const KEY = keyFromSeed(5);
const SIZES = { inputShape: [1, 12, 12], classes: 3 } as const;
const SAMPLES = blobs({ count: 18, featureShape: SIZES.inputShape, classes: 3, seed: 1 });

const ready = createModel("cnn-bn", SIZES);
const values = initialWeights(ready, KEY);
const brought = onnxArchitecture(writeClassifier(ready, values), "brought.onnx");

async function trained(model: Architecture): Promise<ParameterSet> {
  await using trainer = await createTrainer(model, parseOptimizer({ id: "sgd", momentum: 0.5 }), RUNTIME);
  const options = { samples: SAMPLES, epochs: 2, batchSize: 6, learningRate: 0.1, key: KEY };
  return (await consume(train(trainer, initialWeights(model, KEY), options))).weights;
}

async function scoresOf(model: Architecture, weights: ParameterSet): Promise<Float32Array> {
  await using predictor = await createPredictor(model, RUNTIME);
  return await predictor.logitsOf(weights, SAMPLES);
}

describe.each([
  ["a ready model", ready],
  ["a model from a file", brought],
])("training a part of %s", (_what, model) => {
  it("moves that part alone, its statistics with it, and the file holds all under their names", async () => {
    const selected = selectTrainable(model, { train: ["bn2.*", "fc*"] }, values);
    const parts = ["bn2.scale", "bn2.shift", "fc1.weight", "fc1.bias", "bn2.mean", "bn2.variance"];
    expect(selected.weights.map(({ name }) => name).toSorted()).toEqual(parts.toSorted());
    const after = await trained(selected);
    expect([...after.keys()].toSorted()).toEqual(parts.toSorted());
    for (const name of parts) expect(after.get(name), name).not.toEqual(values.get(name));

    const written = readModel(writeClassifier(selected, after), operators);
    const stored = new Map([...written.weights].map(([{ name }, { data }]) => [name, data]));
    for (const [name, value] of values) expect(stored.get(name), name).toEqual(after.get(name) ?? value);
    // What is frozen is used as it was: also the first normalisation, in training too.
    const whole = onnxArchitecture(writeClassifier(selected, after), "whole.onnx");
    const [scores, expected] = [
      await scoresOf(whole, initialWeights(whole, KEY)),
      await scoresOf(selected, after),
    ];
    scores.forEach((score, at) => {
      expect(score).toBeCloseTo(expected[at] as number, 4);
    });
  });

  it("equals training all where all are chosen", async () => {
    expect(selectTrainable(model, { train: ["*"] }, values)).toBe(model);
    const some = selectTrainable(model, { freeze: ["conv1.weight"] }, values);
    expect(some.weights).toHaveLength(model.weights.length - 1);
  });
});

describe("a selection", () => {
  it("that fits nothing is refused with the closest names", () => {
    expect(() => selectTrainable(ready, { train: ["fcc.*"] }, values)).toThrow(
      expect.objectContaining({
        code: "LETHE_USAGE_PATTERN",
        message: expect.stringContaining("`fc1.bias`"),
      }),
    );
    expect(() => selectTrainable(ready, { freeze: ["*"] }, values)).toThrow(
      expect.objectContaining({ code: "LETHE_USAGE_TRAINABLE" }),
    );
  });

  it("keeps frozen tensors of equal values apart in the file", () => {
    const selected = selectTrainable(ready, { train: ["fc1.weight"] }, values);
    const names = [...readModel(writeClassifier(selected, values), operators).weights.keys()].map(
      ({ name }) => name,
    );
    expect(names.toSorted()).toEqual(ready.weights.map(({ name }) => name).toSorted());
  });
});
