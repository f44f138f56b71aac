import { describe, expect, it } from "vitest";
import { type Attributes, int, ints, text } from "../../onnx/attributes.ts";
import {
  averagePool,
  conv,
  convTranspose,
  gather,
  gemm,
  maxPool,
  mul,
  repeatSpatial,
  reshape,
  slice,
  split,
  squeeze,
  transpose,
} from "../../onnx/functions/index.ts";
import { Graph } from "../../onnx/graph.ts";
import type { Value } from "../../onnx/ir.ts";
import type { Shape } from "../../onnx/shape.ts";
import { operators } from "./index.ts";

function inputs(...shapes: readonly Shape[]): Value[] {
  const graph = new Graph(operators);
  return shapes.map((shape, index) => graph.input(`x${index}`, "float32", shape));
}

function apply(type: string, shapes: readonly Shape[], attributes: Attributes = {}): Value {
  const values = inputs(...shapes);
  return (values[0] as Value).graph.apply(type, values, attributes);
}

const image = ["batch", 4, 8, 8] as const;

describe("a node whose inputs or settings do not fit says what it expected", () => {
  it.each<[string, () => unknown, string]>([
    [
      "a filter for other channels",
      () => conv(...(inputs(image, [6, 3, 3, 3]) as [Value, Value])),
      "a filter that fits its input in 1 group(s), got input [batch, 4, 8, 8] and filter [6, 3, 3, 3]",
    ],
    [
      "outputs that do not divide into groups",
      () => conv(...(inputs(image, [5, 2, 3, 3]) as [Value, Value]), undefined, { group: 2 }),
      "in 2 group(s)",
    ],
    ["a group of none", () => apply("Conv", [image, [4, 4, 1, 1]], { group: int(0) }), "group ≥ 1, got 0"],
    [
      "a bias for other channels",
      () => conv(...(inputs(image, [6, 4, 3, 3], [5]) as [Value, Value, Value])),
      "a bias of shape [6], got [5]",
    ],
    [
      "a window larger than its input",
      () => apply("MaxPool", [image], { kernel_shape: ints([9, 2]) }),
      "one of extent 9 on 8 elements",
    ],
    [
      "a rounded-up window that would see nothing",
      () =>
        apply("MaxPool", [[1, 1, 3]], {
          kernel_shape: ints([1]),
          strides: ints([3]),
          pads: ints([0, 1]),
          ceil_mode: int(1),
        }),
      "Export the model with ceil_mode off",
    ],
    [
      "a stride of 0",
      () => maxPool(inputs(image)[0] as Value, [2, 2], { strides: [0, 1] }),
      "`strides` with 2 integers",
    ],
    [
      "pads for one axis only",
      () => averagePool(inputs(image)[0] as Value, [2, 2], { pads: [1, 1] }),
      "`pads` with 4",
    ],
    ["a pool without a kernel", () => apply("MaxPool", [image]), "the attribute `kernel_shape`, got none"],
    [
      "a padding it has not heard of",
      () => apply("MaxPool", [image], { kernel_shape: ints([2, 2]), auto_pad: text("MIRROR") }),
      "SAME_LOWER, got MIRROR",
    ],
    [
      "an image of open size",
      () => conv(...(inputs(["batch", 4, "height", 8], [6, 4, 3, 3]) as [Value, Value])),
      "axis 2 of `x0` to have a known size, got `height`",
    ],
    ["a picture without space", () => apply("GlobalAveragePool", [["batch", 4]]), "[batch, channels, …]"],
    [
      "an output padding of a whole stride",
      () => convTranspose(...(inputs(image, [4, 2, 3, 3]) as [Value, Value]), { outputPadding: [1, 1] }),
      "0 ≤ output_padding < stride",
    ],
    [
      "a transposed convolution whose output is far larger than its windows",
      () => apply("ConvTranspose", [image, [4, 2, 3, 3]], { output_shape: ints([12, 10]) }),
      "0 ≤ output_padding < stride",
    ],
    [
      "a sum of products whose letters do not fit",
      () =>
        apply(
          "Einsum",
          [
            [2, 3],
            [3, 4],
          ],
          { equation: text("ij,k->ik") },
        ),
      "a term for each input, of its 2, 2 axes, got `ij,k->ik`",
    ],
    [
      "a sum of products with a letter of two sizes",
      () =>
        apply(
          "Einsum",
          [
            [2, 3],
            [4, 5],
          ],
          { equation: text("ij,jk") },
        ),
      "one size under the label `j` of Einsum, got 3 and 4",
    ],
    [
      "a sum of products that makes up a letter",
      () => apply("Einsum", [[2, 3]], { equation: text("ij->ik") }),
      "an output of distinct labels of its inputs",
    ],
    [
      "a sum of products that drops its ellipsis",
      () => apply("Einsum", [[2, 3]], { equation: text("...i->i") }),
      "an output with the ellipsis",
    ],
    [
      "groups that do not divide the channels",
      () => apply("GroupNormalization", [image, [4], [4]], { num_groups: int(3) }),
      "num_groups to divide the 4 channels, got 3",
    ],
    [
      "parameters for neither channels nor groups",
      () => apply("GroupNormalization", [image, [3], [3]], { num_groups: int(2) }),
      "of shape [4] or [2], got [3]",
    ],
    ["a norm that is none", () => apply("GlobalLpPool", [image], { p: int(0) }), "p ≥ 1, got 0"],
    [
      "a normalisation by the cube",
      () => apply("LpNormalization", [image], { p: int(3) }),
      "p 1 or 2, got 3",
    ],
    [
      "a remainder of real numbers without a rule for it",
      () => apply("Mod", [[2], [2]]),
      "Mod of real numbers with fmod = 1",
    ],
    [
      "an image of open size to enlarge",
      () => repeatSpatial(inputs(["batch", 4, "height", 8])[0] as Value, [1.5, 2]),
      "axis 2 of `x0` to have a known size",
    ],
    ["an enlargement by nothing", () => apply("Resize", [image]), "constant scales or sizes for 4 axes"],
    [
      "coordinates it has not heard of",
      () => apply("Resize", [image], { coordinate_transformation_mode: text("tf_half_pixel_for_nn") }),
      "half_pixel, half_pixel_symmetric",
    ],
    [
      "statistics for other channels",
      () => apply("BatchNormalization", [image, [4], [4], [3], [4]]),
      "of shape [4], got [3]",
    ],
    [
      "matrices that do not meet",
      () => gemm(...(inputs([2, 3], [4, 5]) as [Value, Value])),
      "[2, 3] and [4, 5]",
    ],
    [
      "elements that do not fill a shape",
      () => reshape(inputs([2, 3])[0] as Value, [4, -1]),
      "the elements of [2, 3]",
    ],
    [
      "two open sizes in a new shape",
      () => reshape(inputs(["a", "b"])[0] as Value, ["b", "a"]),
      "at most one named size",
    ],
    ["an axis twice", () => transpose(inputs([2, 3])[0] as Value, [1, 1]), "to order the axes 0 to 1"],
    [
      "an axis that is not 1 to squeeze",
      () => squeeze(inputs([2, 3])[0] as Value, [0]),
      "axis 0 of [2, 3] to have size 1",
    ],
    [
      "parts that do not fill the whole",
      () => split(inputs([5])[0] as Value, [2, 2], 0),
      "2 parts that fill 5 elements",
    ],
    [
      "a step of 0",
      () => slice(inputs([5])[0] as Value, [{ axis: 0, start: 0, end: 3, step: 0 }]),
      "steps other than 0",
    ],
    [
      "an axis that is not there",
      () => gather(...(inputs([5], [2]) as [Value, Value]), 3),
      "an axis in [-1, 1), got 3",
    ],
    [
      "a padding it has not heard of around x",
      () => {
        const [x] = inputs([4]) as [Value];
        return x.graph.apply("Pad", [x, x.graph.integers([1, 1])], { mode: text("mirror") });
      },
      "constant, edge, reflect, wrap, got mirror",
    ],
    [
      "mirrored elements to cut off",
      () => {
        const [x] = inputs([4]) as [Value];
        return x.graph.apply("Pad", [x, x.graph.integers([-1, 1])], { mode: text("reflect") });
      },
      "pads ≥ 0",
    ],
    [
      "pads that are computed",
      () => {
        const graph = new Graph(operators);
        return graph.apply("Pad", [graph.input("x", "float32", [4]), graph.input("pads", "int64", [2])]);
      },
      "constant integers, got computed ones",
    ],
    [
      "repeats for some axes only",
      () => {
        const [x] = inputs([2, 3]) as [Value];
        return x.graph.apply("Tile", [x, x.graph.integers([2])]);
      },
      "repeats ≥ 0 for every axis of [2, 3], got [2]",
    ],
    [
      "more of the largest than there are",
      () => {
        const [x] = inputs([2, 3]) as [Value];
        return x.graph.apply("TopK", [x, x.graph.integers([4])]);
      },
      "k between 0 and 3, got 4",
    ],
    [
      "tuples longer than the shape",
      () => {
        const graph = new Graph(operators);
        const indices = graph.input("indices", "int64", [2, 3]);
        return graph.apply("GatherND", [graph.input("x", "float32", [4, 5]), indices]);
      },
      "1 to 2 indices into [4, 5]",
    ],
    [
      "a reduction it has not heard of",
      () => {
        const graph = new Graph(operators);
        const [x, indices] = [graph.input("x", "float32", [4]), graph.input("indices", "int64", [4])];
        return graph.apply("ScatterElements", [x, indices, x], { reduction: text("mean") });
      },
      "none, add, mul, min, max, got mean",
    ],
    [
      "blocks that do not fill an image",
      () => apply("SpaceToDepth", [image], { blocksize: int(3) }),
      "divide into blocks of 3",
    ],
    [
      "an axis to flatten at that is not there",
      () => apply("Flatten", [[2, 3]], { axis: int(3) }),
      "an axis in [-2, 2], got 3",
    ],
    [
      "an output as large as its elements make it",
      () => apply("NonZero", [[2, 3]]),
      "got `NonZero`, whose output is as large as its input's elements make it",
    ],
    [
      "a recurrent network of open length",
      () =>
        apply("LSTM", [
          ["steps", 2, 3],
          [1, 16, 3],
          [1, 16, 4],
        ]),
      "axis 0 of `x0` to have a known size, got `steps`",
    ],
    [
      "a recurrent network without end",
      () =>
        apply("RNN", [
          [2000, 2, 3],
          [1, 4, 3],
          [1, 4, 4],
        ]),
      "1 to 1024 steps, which are unrolled, got 2000",
    ],
    [
      "weights of another cell",
      () =>
        apply("GRU", [
          [5, 2, 3],
          [1, 16, 3],
          [1, 16, 4],
        ]),
      "weights of shape [1, 12, 3], got [1, 16, 3]",
    ],
    [
      "an activation it cannot unroll",
      () =>
        apply(
          "RNN",
          [
            [5, 2, 3],
            [1, 4, 3],
            [1, 4, 4],
          ],
          { activations: { type: "strings", value: ["Affine"] } },
        ),
      "Sigmoid, Tanh, Relu, Softsign, Softplus, got Affine",
    ],
    [
      "two element types",
      () => {
        const graph = new Graph(operators);
        return mul(graph.input("a", "float32", [2]), graph.input("b", "float64", [2]));
      },
      "one element type, got float32 and float64",
    ],
  ])("%s", (_title, make, expected) => {
    expect(make).toThrow(
      expect.objectContaining({ kind: "data", message: expect.stringContaining(expected) }),
    );
  });
});
