import { describe, expect, it } from "vitest";
import { operators } from "../autodiff/operators/index.ts";
import { compileProgram } from "../runtime/program.ts";
import { type Attributes, float, int, ints, numberAttribute } from "./attributes.ts";
import { Graph } from "./graph.ts";
import type { Value } from "./ir.ts";
import { type NodeParts, upgradeNode } from "./upgrade.ts";

const setting = (): { graph: Graph; x: Value } => {
  const graph = new Graph(operators);
  return { graph, x: graph.input("x", "float32", ["batch", 4]) };
};

const node = (type: string, x: Value, attributes: Attributes = {}, outputCount = 1): NodeParts => ({
  type,
  inputs: [x],
  attributes,
  outputCount,
});

describe("a node of an older opset", () => {
  it.each(["ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2", "ReduceLogSumExp"])(
    "%s gets its axes as an input",
    (type) => {
      const { graph, x } = setting();
      const old = node(type, x, { axes: ints([1]), keepdims: int(0) });
      const upgraded = upgradeNode(graph, old, 17);
      expect(upgraded.attributes).toEqual({ keepdims: int(0) });
      expect(upgraded.inputs[1]?.contents).toEqual([1]);
      const y = graph.apply(type, upgraded.inputs, upgraded.attributes);
      expect(y.shape).toEqual(["batch"]);
    },
  );

  it("reduces over all axes when it names none", () => {
    const { graph, x } = setting();
    const upgraded = upgradeNode(graph, node("ReduceMean", x, { keepdims: int(0) }), 13);
    expect(graph.apply("ReduceMean", upgraded.inputs, upgraded.attributes).shape).toEqual([]);
  });

  it("Split without sizes says how many parts it has", () => {
    const { graph, x } = setting();
    const upgraded = upgradeNode(graph, node("Split", x, { axis: int(1) }, 2), 13);
    expect(numberAttribute(upgraded.attributes, "num_outputs", 0)).toBe(2);
    const parts = graph.emit("Split", upgraded.inputs, upgraded.attributes, { outputCount: 2 });
    expect(parts.map((part) => part.shape)).toEqual([
      ["batch", 2],
      ["batch", 2],
    ]);
  });

  it("Cast loses what it says of 8-bit floats", () => {
    const { graph, x } = setting();
    const newer = node("Cast", x, { to: int(7), saturate: int(1) });
    expect(upgradeNode(graph, newer, 24).attributes).toEqual({ to: int(7) });
  });

  it("stays as it is in the opset Lethe writes", () => {
    const { graph, x } = setting();
    const current = node("ReduceMean", x, { keepdims: int(0) });
    expect(upgradeNode(graph, current, 18)).toBe(current);
  });
});

describe("a batch normalisation", () => {
  const statistics = (graph: Graph): Value[] =>
    ["scale", "bias", "mean", "variance"].map((name) => graph.input(name, "float32", [4]));

  it("keeps its node in inference, with the momentum it would train with", () => {
    const { graph, x } = setting();
    const inputs = [x, ...statistics(graph)];
    const attributes = { epsilon: float(1e-3), momentum: float(0.75) };
    const old: NodeParts = { type: "BatchNormalization", inputs, attributes, outputCount: 1 };
    const upgraded = upgradeNode(graph, old, 13);
    const y = graph.apply("BatchNormalization", upgraded.inputs, upgraded.attributes);
    expect(y.node?.type).toBe("BatchNormalization");
    expect(y.node?.attributes).toMatchObject(attributes);
  });

  it.each([
    [13, {}, 3],
    [15, { training_mode: int(1) }, 3],
  ])("takes its own statistics in training (opset %i)", async (opset, mode, outputCount) => {
    const { graph, x } = setting();
    const inputs = statistics(graph);
    const old: NodeParts = {
      type: "BatchNormalization",
      inputs: [x, ...inputs],
      attributes: { ...mode, epsilon: float(0.5), momentum: float(0.75) },
      outputCount,
    };
    const upgraded = upgradeNode(graph, old, opset);
    const [y, mean, variance] = graph.emit(upgraded.type, upgraded.inputs, upgraded.attributes, {
      outputCount,
    }) as [Value, Value, Value];
    expect(graph.nodes.some((entry) => "training_mode" in entry.attributes)).toBe(false);
    await using program = await compileProgram({
      inputs: graph.inputs,
      outputs: new Map([
        ["y", y],
        ["runningMean", mean],
        ["runningVariance", variance],
      ]),
    });
    const one = Float32Array.of(1, 1, 1, 1);
    const result = await program.run({
      // Columns with means 2, 0, 1, −1 and variances 1, 4, 0, 9.
      x: Float32Array.of(1, 2, 1, 2, 3, -2, 1, -4),
      scale: one,
      bias: Float32Array.of(0, 0, 5, 0),
      mean: one,
      variance: one,
    });
    expect([...(result.runningMean as Float32Array)]).toEqual([1.25, 0.75, 1, 0.5]);
    expect([...(result.runningVariance as Float32Array)]).toEqual([1, 1.75, 0.75, 3]);
    const expected = [-1 / Math.sqrt(1.5), 2 / Math.sqrt(4.5), 5, 3 / Math.sqrt(9.5)];
    [...(result.y as Float32Array)].slice(0, 4).forEach((value, index) => {
      expect(value).toBeCloseTo(expected[index] as number, 6);
    });
  });
});
