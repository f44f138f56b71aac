import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { operators } from "../../src/autodiff/operators/index.ts";
import { reduceSum, square } from "../../src/onnx/functions/index.ts";
import type { Value } from "../../src/onnx/ir.ts";
import { readModel } from "../../src/onnx/read-model.ts";
import { evaluate, expectClose } from "./evaluate-export.ts";

const fileAt = (path: string): Buffer => readFileSync(new URL(path, import.meta.url));
const expected = JSON.parse(fileAt("../golden/structure-models.json").toString()) as Record<
  "reader" | "picture",
  {
    readonly x: number[];
    readonly y: number[];
    readonly loss: number;
    readonly gradients: Record<string, number[]>;
  }
>;

describe.each(["reader", "picture"] as const)("the %s that PyTorch exported", (name) => {
  it("computes PyTorch's outputs and gradients, of all weights", async () => {
    const model = readModel(fileAt(`../fixtures/${name}.onnx`), operators);
    const { x, y: outputs, loss: value, gradients } = expected[name];
    const y = model.outputs.get("y") as Value;
    expect(y.shape).toEqual(["batch", 2]);
    expect([...model.weights.keys()].map((weight) => weight.name).sort()).toEqual(
      Object.keys(gradients).sort(),
    );
    const loss = reduceSum(square(y));
    const results = await evaluate(model, loss, gradients, {
      inputs: { x: name === "reader" ? BigInt64Array.from(x, BigInt) : Float32Array.from(x) },
      outputs: { y, loss },
      declared: model.inputs,
    });
    expectClose("y", results.y, outputs);
    expectClose("loss", results.loss, [value]);
  });
});
