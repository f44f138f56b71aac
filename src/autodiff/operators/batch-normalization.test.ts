import { describe, expect, it } from "vitest";
import { float, int } from "../../onnx/attributes.ts";
import { add } from "../../onnx/functions/index.ts";
import { Graph } from "../../onnx/graph.ts";
import type { Value } from "../../onnx/ir.ts";
import { tensorOfNumbers } from "../../onnx/tensor.ts";
import { compileProgram } from "../../runtime/program.ts";
import { operators } from "./index.ts";

describe("BatchNormalization in training mode", () => {
  // ONNX Runtime's own node writes the running statistics over its inputs, shared constants among them.
  it("leaves its inputs as they are, in two layers with the same constants and over two runs", async () => {
    const graph = new Graph(operators);
    const x = graph.input("x", "float32", ["batch", 2]);
    const zero = graph.constant(tensorOfNumbers("float32", [2], [0, 0]));
    const one = graph.constant(tensorOfNumbers("float32", [2], [1, 1]));
    const fed = graph.input("running", "float32", [2]);
    const layer = (value: Value, mean: Value): readonly Value[] =>
      graph.emit(
        "BatchNormalization",
        [value, one, zero, mean, one],
        { training_mode: int(1), momentum: float(0.5) },
        { outputCount: 3 },
      );
    const [first, firstMean] = layer(x, zero) as [Value, Value, Value];
    const [second, secondMean] = layer(add(x, 4), zero) as [Value, Value, Value];
    const [, fedMean] = layer(add(x, 8), fed) as [Value, Value, Value];
    const named = { first, second, firstMean, secondMean, fedMean };
    await using program = await compileProgram({ inputs: [x, fed], outputs: new Map(Object.entries(named)) });
    const feeds = { x: Float32Array.of(1, -1, 3, 5), running: Float32Array.of(10, 20) };
    const once = await program.run(feeds);
    expect(await program.run(feeds)).toEqual(once);
    expect([...feeds.running]).toEqual([10, 20]);
    // The columns' means are 2 and 2.
    expect(once).toMatchObject({
      firstMean: Float32Array.of(1, 1),
      secondMean: Float32Array.of(3, 3),
      fedMean: Float32Array.of(10, 15),
    });
    (once.second as Float32Array).forEach((value, index) => {
      expect(value).toBeCloseTo((once.first as Float32Array)[index] as number, 4);
    });
  });
});
