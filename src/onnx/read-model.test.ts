import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type FileParts,
  floatInfo,
  floatTensor,
  integerTensor,
  onnxFile,
} from "../../test/support/onnx-file.ts";
import { operators } from "../autodiff/operators/index.ts";
import { isLetheError, type LetheError } from "../kernel/errors.ts";
import { compileProgram } from "../runtime/program.ts";
import { AttributeProto_AttributeType as AttributeType } from "./proto/onnx_pb.js";
import { readModel } from "./read-model.ts";

const relu = { opType: "Relu", name: "act", input: ["x"], output: ["y"] };

function failure(parts: FileParts): LetheError {
  return failureOf(onnxFile(parts));
}

function failureOf(bytes: Uint8Array): LetheError {
  try {
    readModel(bytes, operators);
  } catch (error) {
    if (isLetheError(error)) return error as LetheError;
    throw error;
  }
  throw new Error("the model was read");
}

describe("reading a model", () => {
  it("keeps the batch open, tells weights from constants and finds the shapes between", () => {
    const model = readModel(
      onnxFile({
        graph: {
          node: [
            { opType: "MatMul", input: ["x", "w"], output: ["h"] },
            { opType: "Reshape", input: ["h", "shape"], output: ["y"] },
          ],
          initializer: [
            floatTensor("w", [4, 6], new Array(24).fill(0.5)),
            integerTensor("shape", [-1, 2, 3]),
          ],
        },
      }),
      operators,
    );
    expect(model.inputs.map((input) => [input.name, input.shape])).toEqual([["x", ["batch", 4]]]);
    expect([...model.weights.keys()].map((weight) => weight.name)).toEqual(["w"]);
    expect(model.outputs.get("y")?.shape).toEqual(["batch", 2, 3]);
  });

  it("puts what operators newer than the opset Lethe writes are made of in their place, and writes that", async () => {
    const { graph, inputs, outputs, weights } = readModel(
      onnxFile({
        opset: 26,
        graph: {
          node: [
            { opType: "Swish", input: ["x"], output: ["a"] },
            { opType: "RMSNormalization", input: ["a", "scale"], output: ["b"] },
            { opType: "QuickGelu", domain: "com.microsoft", input: ["b"], output: ["y"] },
          ],
          initializer: [floatTensor("scale", [4], [1, 2, 3, 4])],
        },
      }),
      operators,
    );
    expect([...weights.keys()].map(({ name }) => name)).toEqual(["scale"]);
    expect(graph.nodes.every(({ domain }) => domain === "")).toBe(true);
    expect(outputs.get("y")?.shape).toEqual(["batch", 4]);
    await using program = await compileProgram({ inputs, outputs, initializers: weights }, { threads: 1 });
    const x = [1, -2, 0.5, 3];
    const a = x.map((value) => value / (1 + Math.exp(-value)));
    const rms = Math.sqrt(a.reduce((sum, value) => sum + value * value, 0) / 4 + 1e-5);
    const b = a.map((value, index) => (value / rms) * (index + 1));
    const { y } = await program.run({ x: Float32Array.from(x) });
    b.forEach((value, index) => {
      expect((y as Float32Array)[index]).toBeCloseTo(value / (1 + Math.exp(-1.702 * value)), 5);
    });
  });

  it("takes a floating initializer that only steers an operator for a constant", () => {
    const model = readModel(
      onnxFile({
        graph: {
          input: [floatInfo("x", ["batch", 1, 2, 2])],
          node: [
            {
              opType: "Resize",
              input: ["x", "", "scales"],
              output: ["y"],
              attribute: [
                attribute("mode", "nearest"),
                attribute("coordinate_transformation_mode", "asymmetric"),
                attribute("nearest_mode", "floor"),
              ],
            },
          ],
          initializer: [floatTensor("scales", [4], [1, 1, 2, 3])],
        },
      }),
      operators,
    );
    expect(model.weights.size).toBe(0);
    expect(model.outputs.get("y")?.shape).toEqual(["batch", 1, 4, 6]);
  });

  it("reads weights from a pooled buffer", () => {
    const bytes = onnxFile({
      graph: {
        node: [{ opType: "Add", input: ["x", "b"], output: ["y"] }],
        initializer: [
          { name: "b", dataType: 1, dims: [4n], rawData: new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer) },
        ],
      },
    });
    const model = readModel(Buffer.from(bytes), operators);
    expect([...model.weights.values()].map((tensor) => [...tensor.data])).toEqual([[1, 2, 3, 4]]);
  });

  it("gives new nodes names the file does not use", () => {
    const names = Array.from({ length: 12 }, (_, index) => `integers_${index}`);
    const chain = names.map((name, index) => ({
      opType: "ReduceMean",
      input: [names[index - 1] ?? "x"],
      output: [name],
      attribute: [{ name: "axes", type: AttributeType.INTS, ints: [1n] }],
    }));
    const node = [...chain, { opType: "Relu", input: [names.at(-1) as string], output: ["y"] }];
    const { graph } = readModel(onnxFile({ opset: 13, graph: { node } }), operators);
    const made = graph.nodes.flatMap((entry) => [...entry.outputs, ...entry.inputs]);
    expect(new Set(made.map((value) => value?.name)).size).toBe(new Set(made).size);
  });
});

describe("a model that cannot be read", () => {
  it("names the node and the operator that is not known", () => {
    const jump = { opType: "Teleport", name: "jump", input: ["x"], output: ["h"] };
    const error = failure({ graph: { node: [jump, { ...relu, input: ["h"] }] } });
    expect(error).toMatchObject({ kind: "data", code: "LETHE_DATA_OPERATOR" });
    expect(error.message).toContain("`Teleport` in node `jump`");
    expect(error.details).toEqual({ operator: "Teleport", node: "jump" });
  });

  it("names the node whose inputs do not fit", () => {
    const error = failure({
      graph: {
        node: [{ opType: "MatMul", name: "dense", input: ["x", "w"], output: ["y"] }],
        initializer: [floatTensor("w", [3, 2], [1, 2, 3, 4, 5, 6])],
      },
    });
    expect(error).toMatchObject({ kind: "data", code: "LETHE_DATA_SHAPE" });
    expect(error.message).toContain("[batch, 4] and [3, 2]");
    expect(error.message).toContain("node `dense`");
  });

  it.each<[string, FileParts, string]>([
    ["has no graph", { model: { graph: undefined } } as unknown as FileParts, "a model with a graph"],
    ["has too old an opset", { opset: 12, graph: { node: [relu] } }, "from 13 to 26, got 12"],
    ["has too new an opset", { opset: 99, graph: { node: [relu] } }, "from 13 to 26, got 99"],
    ["has no output", { graph: { node: [relu], output: [] } }, "a model with an output"],
    [
      "has one output twice",
      { graph: { node: [relu], output: [floatInfo("y", [1]), floatInfo("y", [1])] } },
      "outputs of distinct names",
    ],
    ["lacks an initializer", { graph: { node: [{ ...relu, input: ["w"] }] } }, "node `act` to read a value"],
    [
      "has nodes out of order",
      {
        graph: {
          node: [
            { ...relu, input: ["h"] },
            { opType: "Relu", input: ["x"], output: ["h"] },
          ],
        },
      },
      "`h` (nodes have to be in order of evaluation)",
    ],
    [
      "has a cycle",
      {
        graph: {
          node: [
            { ...relu, input: ["h"] },
            { opType: "Relu", input: ["y"], output: ["h"] },
          ],
        },
      },
      "order of evaluation",
    ],
    ["makes one name twice", { graph: { node: [relu, relu] } }, "distinct names in a graph, got `y` twice"],
    [
      "has two initializers of one name",
      { graph: { node: [relu], initializer: [floatTensor("w", [1], [1]), floatTensor("w", [1], [2])] } },
      "`w` twice",
    ],
    [
      "has too few elements for a shape",
      { graph: { node: [relu], initializer: [floatTensor("w", [2, 3], [1, 2])] } },
      "6 elements in tensor `w`, got 2",
    ],
    [
      "claims a huge tensor",
      { graph: { node: [relu], initializer: [floatTensor("w", [2 ** 30, 2 ** 22], [1, 2])] } },
      "elements in tensor `w`, got 2",
    ],
    [
      "claims a negative size",
      { graph: { node: [relu], initializer: [floatTensor("w", [-3], [1, 2])] } },
      "sizes ≥ 0 in tensor `w`",
    ],
    [
      "keeps weights elsewhere",
      { graph: { node: [relu], initializer: [{ ...floatTensor("w", [1], [1]), dataLocation: 1 }] } },
      "no place to find them",
    ],
    [
      "has an element type without arithmetic",
      { graph: { node: [relu], initializer: [{ name: "w", dataType: 14, dims: [1n] }] } },
      "got ONNX type 14",
    ],
    [
      "holds a graph in an attribute",
      {
        graph: {
          node: [
            {
              ...relu,
              opType: "SequenceMap",
              attribute: [{ name: "then_branch", type: AttributeType.GRAPH }],
            },
          ],
        },
      },
      "`then_branch` of node `act`",
    ],
    [
      "wants more outputs than the operator has",
      { graph: { node: [{ ...relu, output: ["y", "z"] }] } },
      "at most 1 output(s) of Relu",
    ],
    [
      "drops units in training",
      {
        graph: {
          node: [{ ...relu, opType: "Dropout", input: ["x", "", "training"] }],
          initializer: [{ name: "training", dataType: 9, int32Data: [1] }],
        },
      },
      "Export the model in evaluation mode",
    ],
  ])("%s", (_title, parts, expected) => {
    const error = failure(parts);
    expect(error.kind).toBe("data");
    expect(error.message).toContain(expected);
  });

  it("refuses doublings of shapes, ranks and names before they grow", () => {
    const doubled = (opType: string, first: string, attributes: object[] = []) =>
      Array.from({ length: 60 }, (_, step) => {
        const input = step === 0 ? first : `v${step - 1}`;
        return { opType, input: [input, input], output: [`v${step}`], attribute: attributes };
      });
    const along0 = [{ name: "axis", type: AttributeType.INT, i: 0n }];
    const ones = integerTensor("ones", [1, 1]);
    const shapes = {
      node: doubled("Concat", "ones", along0),
      initializer: [ones],
      output: [floatInfo("v59", [1])],
    };
    expect(readModel(onnxFile({ graph: shapes }), operators).outputs.get("v59")?.shape).toEqual([2 ** 61]);
    const names = { node: doubled("Concat", "x", along0), output: [floatInfo("v59", [1])] };
    expect(failure({ graph: names }).message).toContain("sizes that follow from the inputs' in a few steps");
    const square = { ...integerTensor("ones", [0]), dims: [1n, 1n] };
    const ranks = { node: doubled("Gather", "ones"), initializer: [square], output: [floatInfo("v59", [1])] };
    expect(failure({ graph: ranks }).message).toContain("at most 64 axes");
  });

  it("gives a data error for every cut and for random bytes", () => {
    const bytes = onnxFile({ graph: { node: [relu] } });
    for (let length = 0; length < bytes.length; length++) {
      // A cut between two fields leaves a smaller message, which then lacks something.
      expect(failureOf(bytes.slice(0, length)).kind).toBe("data");
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => failureOf(noise).kind === "data"),
      { numRuns: 500 },
    );
  });

  it("gives a data error or a model for every changed byte", () => {
    const bytes = onnxFile({
      graph: {
        node: [{ opType: "Gemm", name: "dense", input: ["x", "w", "b"], output: ["y"] }],
        initializer: [floatTensor("w", [4, 4], new Array(16).fill(1)), floatTensor("b", [4], [1, 2, 3, 4])],
      },
    });
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (position, value) => {
        const changed = bytes.with(position, value);
        try {
          readModel(changed, operators);
        } catch (error) {
          expect(isLetheError(error, "data")).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

function attribute(name: string, word: string) {
  return { name, type: AttributeType.STRING, s: new TextEncoder().encode(word) };
}
