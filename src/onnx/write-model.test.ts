import { describe, expect, it } from "vitest";
import { gradients } from "../autodiff/gradients.ts";
import { operators } from "../autodiff/operators/index.ts";
import {
  add,
  batchNormalization,
  conv,
  globalAveragePool,
  logSoftmax,
  matmul,
  maxPool,
  mul,
  neg,
  reduceMean,
  relu,
  repeatSpatial,
  reshape,
} from "./functions/index.ts";
import { Graph } from "./graph.ts";
import type { Operator, Value } from "./ir.ts";
import { operatorTable } from "./operator.ts";
import { type OnnxModel, readModel } from "./read-model.ts";
import { tensorOfNumbers } from "./tensor.ts";
import { type ModelContents, writeModel } from "./write-model.ts";

const contentsOf = (model: OnnxModel): ModelContents => ({
  name: model.name,
  inputs: model.inputs,
  outputs: model.outputs,
  initializers: model.weights,
  metadata: model.metadata,
});

/** A small CNN with every kind of thing a file holds. */
function network() {
  const graph = new Graph(operators);
  const x = graph.input("x", "float32", ["batch", 1, 8, 8]);
  const weight = (name: string, shape: number[]): Value => graph.input(name, "float32", shape);
  const [w1, scale, bias, mean, variance, w2] = [
    weight("w1", [4, 1, 3, 3]),
    weight("scale", [4]),
    weight("bias", [4]),
    weight("mean", [4]),
    weight("variance", [4]),
    weight("w2", [4, 3]),
  ];
  const pooled = relu(maxPool(conv(x, w1, undefined, { pads: [1, 1, 1, 1] }), [2, 2], { strides: [2, 2] }));
  const normal = batchNormalization(repeatSpatial(pooled, [2, 2]), scale, bias, mean, variance, 1e-3);
  const logits = add(matmul(reshape(globalAveragePool(normal), ["batch", 4]), w2), 0.25);
  const weights = [w1, scale, bias, mean, variance, w2];
  return { graph, x, weights, logits };
}

describe("writing a model", () => {
  it("gives the same bytes after it is read", () => {
    const { x, weights, logits } = network();
    const initializers = new Map(
      weights.map((weight, index) => {
        const shape = weight.shape as number[];
        const count = shape.reduce((product, size) => product * size, 1);
        return [
          weight,
          tensorOfNumbers(
            "float32",
            shape,
            Array.from({ length: count }, (_, i) => index + i / 8),
          ),
        ];
      }),
    );
    const outputs = new Map([
      ["logits", logits],
      ["log_probabilities", logSoftmax(logits)],
    ]);
    const first = writeModel({ name: "net", inputs: [x], outputs, initializers, metadata: { made: "here" } });
    const model = readModel(first, operators);
    expect(writeModel(contentsOf(model))).toEqual(first);
    expect(model.metadata).toEqual({ made: "here" });
    expect([...model.weights].map(([value, { data }]) => [value.name, data])).toEqual(
      [...initializers].map(([value, { data }]) => [value.name, data]),
    );
  });

  it("writes a training graph that can be read and written again unchanged", () => {
    const { graph, x, weights, logits } = network();
    const labels = graph.input("labels", "float32", ["batch", 3]);
    const loss = neg(reduceMean(mul(logSoftmax(logits), labels)));
    const outputs = new Map(
      gradients(loss, weights).map((value, index) => [`grad:${weights[index]?.name}`, value]),
    );
    const first = writeModel({ inputs: [x, labels, ...weights], outputs });
    const second = writeModel(contentsOf(readModel(first, operators)));
    expect(writeModel(contentsOf(readModel(second, operators)))).toEqual(second);
    expect([...readModel(second, operators).outputs.keys()]).toEqual([...outputs.keys()]);
  });

  it("leaves out what the outputs do not need", () => {
    const { x, weights, logits } = network();
    relu(logits);
    const model = readModel(writeModel({ inputs: [x, ...weights], outputs: new Map([["y", x]]) }), operators);
    expect(model.graph.nodes).toEqual([]);
    expect(model.outputs.get("y")).toBe(model.inputs[0]);
  });

  it("asks for every input the outputs need", () => {
    const { x, logits } = network();
    expect(() => writeModel({ inputs: [x], outputs: new Map([["y", logits]]) })).toThrow(
      expect.objectContaining({ code: "LETHE_USAGE_MISSING_INPUT", message: expect.stringContaining("`w") }),
    );
  });

  it("refuses to call an output by the name of another value", () => {
    const { x, weights, logits } = network();
    expect(() => writeModel({ inputs: [x, ...weights], outputs: new Map([["w2", logits]]) })).toThrow(
      expect.objectContaining({ code: "LETHE_USAGE_DUPLICATE_NAME" }),
    );
  });
});

describe("an operator without a gradient", () => {
  it("is named with its node, and the message says what to do", () => {
    const volume: Operator = { type: "Volume", infer: () => [{ dtype: "float32", shape: [] }] };
    const graph = new Graph(operatorTable([...operators.values(), volume]));
    const x = graph.input("x", "float32", [3]);
    const [y] = graph.emit("Volume", [x], {}, { name: "volume" }) as [Value];
    const scalar = reshape(y, []);
    expect(() => gradients(scalar, [x])).toThrow(
      expect.objectContaining({
        code: "LETHE_DATA_NO_GRADIENT",
        details: { operator: "Volume", node: "volume", trainable: [], frozen: ["x"] },
        message: expect.stringContaining("Every parameter comes before it"),
      }),
    );
  });
});
