import { describe, expect, it } from "vitest";
import { blobs } from "../../../test/support/blobs.ts";
import { keyFromSeed } from "../../kernel/key.ts";
import { initialWeights } from "../../models/architecture.ts";
import { createModel } from "../../models/index.ts";
import { relu } from "../../onnx/functions/index.ts";
import { compileFeatures } from "./features.ts";
import { compileLayerMoments } from "./layer-moments.ts";

const RUNTIME = { threads: 1, spinning: false };
const KEY = keyFromSeed(8);
const model = createModel("mlp:5,4", { inputShape: [6], classes: 3 });
const weights = initialWeights(model, KEY);
const samples = blobs({ count: 300, featureShape: [6], classes: 3, seed: 1 });

describe("features", () => {
  it("are what goes into a layer by name, in the samples' order over several runs", async () => {
    await using inputs = await compileFeatures(model, { ...RUNTIME, at: "fc1.weight" });
    const { rows, size } = await inputs.featuresOf(weights, samples);
    const given = new Float32Array(300 * 6);
    samples.gather([...samples.labels.keys()], given);
    expect(size).toBe(6);
    expect(rows).toEqual(given);
    await using hidden = await compileFeatures(model, { ...RUNTIME, at: "fc2" });
    expect(hidden.size).toBe(5);
    await using last = await compileFeatures(model, RUNTIME);
    await using named = await compileFeatures(model, { ...RUNTIME, at: "fc3" });
    expect(last.size).toBe(4);
    expect(await last.featuresOf(weights, samples)).toEqual(await named.featuresOf(weights, samples));
  });

  it("are what comes out of a node by its name, flat", async () => {
    const net = createModel("cnn", { inputShape: [1, 8, 8], classes: 3 });
    const marked = {
      ...net,
      forward: (...[input, weightOf, mode]: Parameters<typeof net.forward>) => {
        const pass = net.forward(input, weightOf, mode);
        const [logits] = input.graph.emit("Identity", [relu(pass.logits)], {}, { name: "scores" });
        return { ...pass, logits: logits ?? pass.logits };
      },
    };
    const images = blobs({ count: 2, featureShape: [1, 8, 8], classes: 3, seed: 2 });
    await using scores = await compileFeatures(marked, { ...RUNTIME, at: "scores" });
    const { rows, size } = await scores.featuresOf(initialWeights(net, KEY), images);
    expect([size, rows.length]).toEqual([3, 6]);
    await using maps = await compileFeatures(net, { ...RUNTIME, at: "conv2" });
    // 8 channels at half the side.
    expect(maps.size).toBe(8 * 4 * 4);
  });

  it("at a name that is nowhere are refused with the names there are", async () => {
    await expect(compileFeatures(model, { ...RUNTIME, at: "fc9" })).rejects.toMatchObject({
      code: "LETHE_USAGE_FEATURES",
      message: expect.stringContaining("fc1.weight, fc2.weight, fc3.weight"),
    });
  });
});

it("moments are refused of what is no layer", async () => {
  await expect(compileLayerMoments(model, { ...RUNTIME, only: ["fc1.bias"] })).rejects.toMatchObject({
    code: "LETHE_USAGE_LAYER",
    message: expect.stringContaining("fc1.weight"),
  });
});
