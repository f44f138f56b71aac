import { describe, expect, it } from "vitest";
import { digestArrays } from "../kernel/digest.ts";
import { keyFromSeed } from "../kernel/key.ts";
import { initialWeights, layoutOfArchitecture } from "./architecture.ts";
import { cnn } from "./cnn.ts";
import { createModel, listModels } from "./index.ts";
import { heNormal } from "./initializers.ts";

const MNIST = { inputShape: [1, 28, 28], classes: 10 } as const;
const TEXT = { inputShape: [32], classes: 2, vocabulary: 50 } as const;
const CIFAR = { inputShape: [3, 32, 32], classes: 10 } as const;
const COLOUR = { inputShape: [3, 32, 32], classes: 7 } as const;

/** Text for the models of text. */
const sizesFor = (name: string) => (/^(text-mlp|lstm|gpt2?)$/.test(name) ? TEXT : MNIST);

describe("a ready architecture", () => {
  // Counted by hand: weights + biases of every layer, and twice the channels of a normalisation.
  it.each([
    ["logistic", MNIST, 784 * 10 + 10, 0],
    ["mlp", MNIST, 784 * 64 + 64 + 64 * 10 + 10, 0],
    ["mlp:64", MNIST, 784 * 64 + 64 + 64 * 10 + 10, 0],
    ["mlp:128,32", MNIST, 784 * 128 + 128 + 128 * 32 + 32 + 32 * 10 + 10, 0],
    ["mlp:5", { inputShape: [6], classes: 3 }, 6 * 5 + 5 + 5 * 3 + 3, 0],
    // 28 → 12 → 4 with 5×5 kernels of stride 2.
    ["cnn", MNIST, 8 * 25 + 8 + 16 * 8 * 25 + 16 + 16 * 7 * 7 * 10 + 10, 0],
    ["cnn-bn", MNIST, 8 * 25 + 2 * 8 + 16 * 8 * 25 + 2 * 16 + 16 * 7 * 7 * 10 + 10, 2 * 8 + 2 * 16],
    // 28 → 14 → 7 with pooling.
    ["cnn-medium", MNIST, 32 * 9 + 32 + 64 * 32 * 9 + 64 + 64 * 7 * 7 * 128 + 128 + 128 * 10 + 10, 0],
    // 32 → 14 → 5.
    ["cnn", COLOUR, 8 * 3 * 25 + 8 + 16 * 8 * 25 + 16 + 16 * 8 * 8 * 7 + 7, 0],
    // As published: 0.27 M and 11.17 M (He et al.), 6.57 M (Page), 9.2 M and 14.7 M (Simonyan & Zisserman's convolutions with one
    // dense layer), 1.37 M (Springenberg et al.); with normalisation each convolution has two numbers a channel in place of one.
    ["resnet20", CIFAR, 269_722, 2 * 688],
    ["resnet18", CIFAR, 11_173_962, 2 * 4800],
    ["resnet9", CIFAR, 6_573_130, 2 * 2240],
    ["vgg11", CIFAR, 9_228_362, 2 * 2752],
    ["vgg11:batchNorm=false", CIFAR, 9_225_610, 0],
    ["vgg16", CIFAR, 14_714_688 + 4224 + 5130, 2 * 4224],
    ["vgg16:batchNorm=false", CIFAR, 14_714_688 + 5130, 0],
    ["all-cnn:batchNorm=false", CIFAR, 1_369_738, 0],
    // Patches, positions, four blocks of 12·64² weights and 13·64 others, the last norm, the head.
    ["vit", CIFAR, 48 * 64 + 64 + 64 * 64 + 4 * (12 * 4096 + 13 * 64) + 2 * 64 + 64 * 10 + 10, 0],
    ["text-mlp", TEXT, 50 * 64 + 64 * 64 + 64 + 64 * 2 + 2, 0],
    ["lstm", TEXT, 50 * 64 + (64 + 128 + 1) * 512 + 128 * 2 + 2, 0],
    // Queries of 128 and keys and values of 64 from 128, back to 128; three matrices of 128 × 344; norms.
    ["gpt", TEXT, 2 * 50 * 128 + 4 * (128 * 256 + 128 * 128 + 3 * 128 * 344 + 2 * 128) + 128, 0],
    ["gpt2", TEXT, 50 * 128 + 32 * 128 + 4 * (12 * 128 * 128 + 13 * 128) + 2 * 128, 0],
  ])("%s has the parameters its layers say", (name, sizes, parameters, buffers) => {
    const layout = layoutOfArchitecture(createModel(name, sizes));
    expect(layout.parameterLength).toBe(parameters);
    expect(layout.length - layout.parameterLength).toBe(buffers);
  });

  it("is in the list by the name it is made by, and keeps that name", () => {
    const names = listModels().map(({ id }) => id);
    expect(names.slice(0, 5)).toEqual(["logistic", "mlp", "cnn", "cnn-bn", "cnn-medium"]);
    for (const name of names)
      expect(createModel(name, sizesFor(name)).id).toBe(name === "mlp" ? "mlp:64" : name);
    expect(createModel("mlp:128,32", MNIST).id).toBe("mlp:128,32");
  });

  it.each(listModels().map(({ id }) => id))("%s starts from its key alone", (name) => {
    const isScaled = /^(vgg|resnet|all-cnn)/.test(name);
    const model = createModel(isScaled ? `${name}:0.1` : name, sizesFor(name));
    const digest = (seed: number): string => digestArrays(initialWeights(model, keyFromSeed(seed)));
    expect(digest(3)).toBe(digest(3));
    expect(digest(3)).not.toBe(digest(4));
  });

  it.each(["resnet", "cnn:3", "vit:7", "vit:patch", "vit:patch=7,patch=4", "MLP", "", "__proto__"])(
    "is not made for the name `%s`",
    (name) => {
      expect(() => createModel(name, MNIST)).toThrowError(
        expect.objectContaining({
          code: "LETHE_USAGE_MODEL",
          message: expect.stringContaining("cnn-medium"),
        }),
      );
    },
  );

  it.each([
    ["mlp:", "widths"],
    ["mlp:0", "widths"],
    ["mlp:-3", "widths"],
    ["mlp:12,", "widths"],
    ["mlp:1.5", "widths"],
    ["mlp:64,0", "widths"],
    ["mlp:100000", "widths"],
    ["resnet18:wide", "width"],
    ["resnet18:0", "width"],
    ["resnet20:", "width"],
    ["vgg11:batchNorm=maybe", "batchNorm"],
    ["vit:size=3", "size"],
    ["vit:patch=5", "patch"],
    ["vit:heads=3", "heads"],
    ["lstm", "token ids"],
  ])("is not made with the settings of `%s`, and the error names `%s`", (name, setting) => {
    expect(() => createModel(name, MNIST)).toThrowError(
      expect.objectContaining({ code: "LETHE_USAGE_MODEL", message: expect.stringContaining(setting) }),
    );
  });
});

describe("a convolutional network", () => {
  it.each([
    ["a table", [784]],
    ["a picture without channels", [28, 28]],
    ["a film", [1, 4, 28, 28]],
  ])("is not made for %s", (_what, inputShape) => {
    expect(() => createModel("cnn", { inputShape, classes: 2 })).toThrowError(
      expect.objectContaining({ code: "LETHE_USAGE_MODEL", message: expect.stringContaining("mlp") }),
    );
  });

  it("is made for the smallest picture it can shrink, and not for a smaller one", () => {
    const blocks = [
      { channels: 8, kernel: 5, stride: 2 },
      { channels: 16, kernel: 5, stride: 2 },
    ];
    // 13 → 5 → 1.
    expect(cnn([1, 13, 13], 2, { id: "unpadded", blocks }).weights.at(-2)?.shape).toEqual([16, 2]);
    for (const inputShape of [
      [1, 12, 12],
      [1, 13, 8],
      [1, 1, 1],
      [1, 3, 40],
    ]) {
      expect(() => cnn(inputShape, 2, { id: "unpadded", blocks })).toThrowError(
        expect.objectContaining({ code: "LETHE_USAGE_MODEL" }),
      );
    }
  });

  it("is not made when a layer on the way has nothing left, even where later arithmetic would hide it", () => {
    const blocks = [
      { channels: 2, kernel: 5 },
      { channels: 2, kernel: 3, padding: 4 },
    ];
    expect(() => cnn([1, 3, 3], 2, { id: "odd", blocks })).toThrowError(
      expect.objectContaining({ code: "LETHE_USAGE_MODEL" }),
    );
  });
});

describe("starting weights", () => {
  it("are normal with standard deviation √(2 / inputs)", () => {
    for (const fanIn of [8, 200]) {
      const values = heNormal("w", [400, 100], fanIn).initial(keyFromSeed(1));
      const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
      const std = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
      const expected = Math.sqrt(2 / fanIn);
      // 40,000 draws: the mean within five standard errors (0.5 % of σ), σ within 0.35 % at one.
      expect(Math.abs(mean)).toBeLessThan(0.025 * expected);
      expect(std / expected).toBeCloseTo(1, 1.7);
      const beyond = values.filter((x) => Math.abs(x - mean) > 2 * std).length / values.length;
      expect(beyond).toBeCloseTo(0.0455, 2);
    }
  });

  it("of one tensor do not depend on the layers around it", () => {
    const small = initialWeights(createModel("mlp:16", MNIST), keyFromSeed(1));
    const large = initialWeights(createModel("mlp:16,8", MNIST), keyFromSeed(1));
    expect(large.get("fc1.weight")).toEqual(small.get("fc1.weight"));
    expect(new Set(small.get("fc1.weight")).size).toBeGreaterThan(10_000);
  });

  it("are zero for biases and shifts, one for scales and variances", () => {
    const weights = initialWeights(createModel("cnn-bn", MNIST), keyFromSeed(1));
    for (const name of ["fc1.bias", "bn1.shift", "bn2.mean"])
      expect(new Set(weights.get(name))).toEqual(new Set([0]));
    for (const name of ["bn1.scale", "bn2.variance"])
      expect(new Set(weights.get(name))).toEqual(new Set([1]));
  });
});
