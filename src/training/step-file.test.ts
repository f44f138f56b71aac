import { describe, expect, it } from "vitest";
import { blobs } from "../../test/support/blobs.ts";
import { consume } from "../kernel/events.ts";
import { keyFromSeed } from "../kernel/key.ts";
import { initialWeights } from "../models/architecture.ts";
import { createModel } from "../models/index.ts";
import { writeModel } from "../onnx/write-model.ts";
import { train } from "./loop.ts";
import { parseOptimizer } from "./optimizers.ts";
import { openTrainer } from "./step-file.ts";
import { buildStepGraph } from "./step-graph.ts";
import { createTrainer, type Trainer } from "./trainer.ts";

const RUNTIME = { threads: 1, spinning: false };
const key = keyFromSeed(1);
const images = { inputShape: [1, 8, 8], classes: 3 } as const;
const samples = blobs({ count: 12, featureShape: images.inputShape, classes: 3, seed: 4 });

describe("a step graph's file", () => {
  it.each([
    ["mlp:4", "adam"],
    ["cnn-bn", { id: "sgd", momentum: 0.9 } as const],
  ])("trains %s to the bits of the trainer that made it", async (id, settings) => {
    const model = createModel(id, images);
    const optimizer = parseOptimizer(settings);
    const start = initialWeights(model, key);
    const states = async (trainer: Trainer) => {
      const options = { samples, key, epochs: 2, batchSize: 5, learningRate: 0.1 };
      return consume(train(trainer, start, options));
    };
    await using made = await createTrainer(model, optimizer, RUNTIME);
    const file = writeModel(buildStepGraph(model, { loss: "cross-entropy", optimizer }).contents);
    await using opened = await openTrainer(file, RUNTIME);

    expect(opened.trained.map(({ name }) => name).sort()).toEqual([...start.keys()].sort());
    expect(await states(opened)).toEqual(await states(made));
  });

  it.each([
    ["gradients alone", { gradients: true }],
    ["a loss alone", {}],
  ])("is refused when it holds %s", async (_what, options) => {
    const { contents } = buildStepGraph(createModel("mlp:4", images), { loss: "cross-entropy", ...options });
    await expect(openTrainer(writeModel(contents), RUNTIME)).rejects.toMatchObject({
      code: "LETHE_DATA_STEP_FILE",
    });
  });
});
