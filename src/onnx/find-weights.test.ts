import { describe, expect, it } from "vitest";
import { floatInfo, floatTensor, onnxFile } from "../../test/support/onnx-file.ts";
import { operators } from "../autodiff/operators/index.ts";
import { AttributeProto_AttributeType as AttributeType } from "./proto/onnx_pb.js";
import { readModel } from "./read-model.ts";

/** Names of the weights of a file with input `x` [batch, 4]. */
function weightsOf(graph: object): string[] {
  const model = readModel(
    onnxFile({ graph: { input: [floatInfo("x", ["batch", 4])], ...graph } }),
    operators,
  );
  return [...model.weights.keys()].map(({ name }) => name).sort();
}

const square = new Array(16).fill(0).map((_, at) => at / 16);
const product = { opType: "MatMul", input: ["x", "w"], output: ["p"] };

describe("the weights of a file", () => {
  it("are what operators compute with, not single numbers such as scales, nor masks", () => {
    const initializer = [
      floatTensor("w", [4, 4], square),
      floatTensor("scale", [1], [0.5]),
      floatTensor("mask", [1, 4], [0, 0, 0, Number.NEGATIVE_INFINITY]),
      floatTensor("gain", [4], [1, 2, 3, 4]),
      floatTensor("unused", [4], [1, 2, 3, 4]),
    ];
    const node = [
      product,
      { opType: "Mul", input: ["p", "scale"], output: ["s"] },
      { opType: "Add", input: ["s", "mask"], output: ["m"] },
      { opType: "Mul", input: ["m", "gain"], output: ["y"] },
    ];
    expect(weightsOf({ node, initializer })).toEqual(["gain", "w"]);
  });

  it("may be one number where it is the bias of a product", () => {
    const initializer = [floatTensor("w", [4, 1], [1, 2, 3, 4]), floatTensor("b", [1, 1], [0.5])];
    const node = [product, { opType: "Add", input: ["p", "b"], output: ["y"] }];
    expect(weightsOf({ node, initializer, output: [floatInfo("y", ["batch", 1])] })).toEqual(["b", "w"]);
  });

  it("may be stored once where they began equal, and are weights each", () => {
    const initializer = [floatTensor("one", [4], [1, 1, 1, 1]), floatTensor("tied", [4, 4], square)];
    const node = [
      { opType: "Identity", input: ["one"], output: ["other"] },
      { opType: "Identity", input: ["tied"], output: ["again"] },
      { opType: "Mul", input: ["x", "one"], output: ["a"] },
      { opType: "Mul", input: ["a", "other"], output: ["b"] },
      { opType: "MatMul", input: ["b", "tied"], output: ["c"] },
      { opType: "MatMul", input: ["c", "again"], output: ["y"] },
    ];
    expect(weightsOf({ node, initializer })).toEqual(["one", "other", "tied"]);
  });

  it("are in Constant nodes where the initializers hold none", () => {
    const held = (name: string, tensor: object) => ({
      opType: "Constant",
      output: [name],
      attribute: [{ name: "value", type: AttributeType.TENSOR, t: tensor }],
    });
    const node = [held("w", floatTensor("", [4, 4], square)), { ...product, output: ["y"] }];
    expect(weightsOf({ node })).toEqual(["w"]);
    const node2 = [
      held("k", floatTensor("", [4, 4], square)),
      product,
      { opType: "MatMul", input: ["p", "k"], output: ["y"] },
    ];
    expect(weightsOf({ node: node2, initializer: [floatTensor("w", [4, 4], square)] })).toEqual(["w"]);
  });
});
