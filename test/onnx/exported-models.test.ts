import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { operators } from "../../src/autodiff/operators/index.ts";
import {
  logSoftmax,
  mul,
  neg,
  oneHot,
  reduceMean,
  reduceSum,
  square,
} from "../../src/onnx/functions/index.ts";
import type { Value } from "../../src/onnx/ir.ts";
import { readModel } from "../../src/onnx/read-model.ts";
import { evaluate, expectClose } from "./evaluate-export.ts";

const fileAt = (path: string): Buffer => readFileSync(new URL(path, import.meta.url));
const expected = JSON.parse(fileAt("../golden/exported-models.json").toString()) as {
  readonly x: number[];
  readonly labels: number[];
  readonly inference: {
    readonly logits: number[];
    readonly loss: number;
    readonly gradients: Record<string, number[]>;
  };
  readonly training: {
    readonly sum: number;
    readonly squares: number;
    readonly gradients: Record<string, number[]>;
  };
};
describe.each([13, 17])("a network that PyTorch exported in opset %i", (opset) => {
  it("computes PyTorch's logits and gradients", async () => {
    const model = readModel(fileAt(`../fixtures/cnn-opset${opset}.onnx`), operators);
    const logits = model.outputs.get("logits") as Value;
    expect(logits.shape).toEqual(["batch", 5]);
    const labels = model.graph.input("labels", "int64", ["batch"]);
    const picked = reduceSum(mul(logSoftmax(logits), oneHot(labels, 5)), { axes: [1] });
    const loss = neg(reduceMean(picked));
    const results = await evaluate(model, loss, expected.inference.gradients, {
      inputs: { x: Float32Array.from(expected.x), labels: BigInt64Array.from(expected.labels, BigInt) },
      outputs: { logits, loss },
      declared: [...model.inputs, labels],
    });
    expectClose("logits", results.logits, expected.inference.logits);
    expectClose("loss", results.loss, [expected.inference.loss]);
  });
});

describe("a normalisation that PyTorch exported in training mode", () => {
  it("is rewritten with own statistics and has PyTorch's gradients", async () => {
    const model = readModel(fileAt("../fixtures/norm-training.onnx"), operators);
    const y = model.outputs.get("y") as Value;
    for (const node of model.graph.nodes) expect(node.attributes).not.toHaveProperty("training_mode");
    const squares = reduceSum(square(y));
    const results = await evaluate(model, squares, expected.training.gradients, {
      inputs: { x: Float32Array.from(expected.x) },
      outputs: { squares, sum: reduceSum(y) },
      declared: model.inputs,
    });
    expectClose("squares", results.squares, [expected.training.squares]);
    expectClose("sum", results.sum, [expected.training.sum]);
  });
});
