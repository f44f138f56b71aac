import { describe, expect, it } from "vitest";
import { operators } from "../autodiff/operators/index.ts";
import { keyFromSeed } from "../kernel/key.ts";
import { sizeOf } from "../kernel/layout.ts";
import { conv, reshape } from "../onnx/functions/index.ts";
import { Graph } from "../onnx/graph.ts";
import type { Value } from "../onnx/ir.ts";
import { writeModel } from "../onnx/write-model.ts";
import { initialWeights, layoutOfArchitecture } from "./architecture.ts";
import { layersOf } from "./derive-layers.ts";
import { createModel, listModels } from "./index.ts";
import type { LayerLayout } from "./layers.ts";
import { onnxArchitecture, writeClassifier } from "./onnx-model.ts";

const IMAGE = { inputShape: [1, 16, 16], classes: 3 } as const;

/** What a layer is, in a few words. */
function summary(layer: LayerLayout): unknown {
  switch (layer.kind) {
    case "dense":
      return [layer.kind, layer.weight.name, layer.bias?.name, layer.inputAxis];
    case "conv":
      return [layer.kind, layer.weight.name, layer.bias?.name, layer.group];
    case "norm":
      return [
        layer.kind,
        layer.scale.name,
        layer.shift.name,
        layer.runningMean?.name,
        layer.runningVariance?.name,
      ];
    case "other":
      return [layer.kind, ...layer.slots.map(({ name }) => name)];
    default:
      return layer satisfies never;
  }
}

/** An architecture from a graph over one input [batch, …shape] and weights of the given shapes. */
function custom(
  shape: readonly number[],
  weights: Readonly<Record<string, readonly number[]>>,
  build: (x: Value, w: Readonly<Record<string, Value>>) => Value,
) {
  const graph = new Graph(operators);
  const x = graph.input("x", "float32", ["batch", ...shape]);
  const values = Object.fromEntries(
    Object.entries(weights).map(([name, size]) => [name, graph.input(name, "float32", size)]),
  );
  const y = build(x, values);
  const initializers = new Map(
    Object.values(values).map((value) => {
      const size = value.shape as readonly number[];
      return [
        value,
        { dtype: "float32" as const, shape: size, data: new Float32Array(sizeOf(size)).fill(0.1) },
      ];
    }),
  );
  return onnxArchitecture(
    writeModel({ inputs: [x], outputs: new Map([["y", y]]), initializers }),
    "custom.onnx",
  );
}

describe("the layers of a model", () => {
  it("are those of a ready perceptron", () => {
    expect(layersOf(createModel("mlp:7,5", IMAGE)).map(summary)).toEqual([
      ["dense", "fc1.weight", "fc1.bias", 0],
      ["dense", "fc2.weight", "fc2.bias", 0],
      ["dense", "fc3.weight", "fc3.bias", 0],
    ]);
  });

  it("are those of a network with normalisation, and of the same network read from its file", () => {
    const model = createModel("cnn-bn", IMAGE);
    const expected = [
      ["conv", "conv1.weight", undefined, 1],
      ["norm", "bn1.scale", "bn1.shift", "bn1.mean", "bn1.variance"],
      ["conv", "conv2.weight", undefined, 1],
      ["norm", "bn2.scale", "bn2.shift", "bn2.mean", "bn2.variance"],
      ["dense", "fc1.weight", "fc1.bias", 0],
    ];
    expect(layersOf(model).map(summary)).toEqual(expected);
    const file = writeClassifier(model, initialWeights(model, keyFromSeed(1)));
    expect(layersOf(onnxArchitecture(file, "file.onnx")).map(summary)).toEqual(expected);
  });

  it("see a transposed weight, a product with an added bias in either order, and one without", () => {
    const model = custom([4], { a: [5, 4], ab: [5], b: [5, 3], bb: [3], c: [3, 2] }, (x, w) => {
      const first = x.graph.emit("Gemm", [x, w.a, w.ab], { transB: { type: "int", value: 1 } })[0];
      const second = x.graph.apply("Add", [w.bb, x.graph.apply("MatMul", [first, w.b])]);
      return x.graph.apply("MatMul", [second, w.c]);
    });
    expect(layersOf(model).map(summary)).toEqual([
      ["dense", "a", "ab", 1],
      ["dense", "b", "bb", 0],
      ["dense", "c", undefined, 0],
    ]);
  });

  it("keep the groups of a convolution, and put parameters of no known form last", () => {
    const model = custom([2, 3, 3], { k: [4, 1, 3, 3], gain: [4], w: [4, 2] }, (x, w) => {
      const filtered = reshape(conv(x, w.k as Value, undefined, { group: 2 }), ["batch", 4]);
      return x.graph.apply("MatMul", [x.graph.apply("Mul", [filtered, w.gain]), w.w]);
    });
    expect(layersOf(model).map(summary)).toEqual([
      ["conv", "k", undefined, 2],
      ["dense", "w", undefined, 0],
      ["other", "gain"],
    ]);
  });

  it("leave to the others what several products share", () => {
    const model = custom(
      [3],
      { w: [3, 3], v: [3, 3], shared: [3], tied: [3, 3] },
      (x, { w, v, shared, tied }) => {
        const left = x.graph.apply("Add", [x.graph.apply("MatMul", [x, w]), shared]);
        const right = x.graph.apply("Add", [x.graph.apply("MatMul", [left, v]), shared]);
        return x.graph.apply("MatMul", [x.graph.apply("MatMul", [right, tied]), tied]);
      },
    );
    expect(layersOf(model).map(summary)).toEqual([
      ["dense", "w", undefined, 0],
      ["dense", "v", undefined, 0],
      ["other", "shared", "tied"],
    ]);
  });

  it("take no sum for a bias that is broadcast over the outputs, or when the product goes elsewhere too", () => {
    const model = custom([3], { w: [3, 3], one: [1], v: [3, 3], two: [3] }, (x, { w, one, v, two }) => {
      const shifted = x.graph.apply("Add", [x.graph.apply("MatMul", [x, w]), one]);
      const product = x.graph.apply("MatMul", [shifted, v]);
      return x.graph.apply("Mul", [product, x.graph.apply("Add", [product, two])]);
    });
    expect(layersOf(model).map(summary)).toEqual([
      ["dense", "w", undefined, 0],
      ["dense", "v", undefined, 0],
      ["other", "one", "two"],
    ]);
  });

  it("of a language model are its products and normalisations; tables are others, and so is what is used twice", () => {
    const sizes = { inputShape: [6], classes: 9, vocabulary: 9 };
    expect(layersOf(createModel("gpt2:width=8,depth=1,heads=2", sizes)).map(summary)).toEqual([
      ["norm", "block1.norm1.scale", "block1.norm1.shift", undefined, undefined],
      ["dense", "block1.attention.qkv.weight", "block1.attention.qkv.bias", 0],
      ["dense", "block1.attention.output.weight", "block1.attention.output.bias", 0],
      ["norm", "block1.norm2.scale", "block1.norm2.shift", undefined, undefined],
      ["dense", "block1.mlp.in.weight", "block1.mlp.in.bias", 0],
      ["dense", "block1.mlp.out.weight", "block1.mlp.out.bias", 0],
      ["norm", "norm.scale", "norm.shift", undefined, undefined],
      ["other", "tokens.weight", "positions.weight"],
    ]);
  });

  it.each(["mlp:7", ...listModels().map(({ id }) => id)])(
    "of %s hold every parameter exactly once",
    (name) => {
      const text = { inputShape: [6], classes: 3, vocabulary: 9 };
      const model = createModel(name, /^(text-mlp|lstm|gpt2?)$/.test(name) ? text : IMAGE);
      const held = layersOf(model).flatMap((layer) => {
        if (layer.kind === "norm") return [layer.scale, layer.shift];
        if (layer.kind === "other") return layer.slots;
        return [layer.weight, ...(layer.bias === undefined ? [] : [layer.bias])];
      });
      const parameters = layoutOfArchitecture(model).slots.filter(({ role }) => role === "parameter");
      expect(held.map((slot) => slot.name).sort()).toEqual(parameters.map((slot) => slot.name).sort());
    },
  );
});
