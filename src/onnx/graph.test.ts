import { describe, expect, it } from "vitest";
import { int } from "./attributes.ts";
import { Graph } from "./graph.ts";
import type { Operator, Value } from "./ir.ts";
import { operatorTable } from "./operator.ts";
import { tensorOfNumbers } from "./tensor.ts";

const copy = (type: string, rest: Partial<Operator> = {}): Operator => ({
  type,
  infer: ({ inputs, outputCount }) => {
    const { dtype, shape } = inputs[0] as Value;
    return Array.from({ length: Math.min(outputCount, 2) }, () => ({ dtype, shape }));
  },
  ...rest,
});

const table = operatorTable([
  copy("Copy"),
  copy("Noise", { isRandom: true }),
  // Made of others, unless it is told to stay.
  copy("Twice", {
    lower: ({ inputs: [x], attributes }) => (attributes.stay ? undefined : [copied(copied(x as Value))]),
  }),
]);

const copied = (x: Value): Value => x.graph.apply("Copy", [x], { a: int(x.id) });

describe("a graph", () => {
  it("makes equal nodes once, unless they draw random numbers", () => {
    const graph = new Graph(table);
    const x = graph.input("x", "float32", [2]);
    expect(graph.apply("Copy", [x], { a: int(1) })).toBe(graph.apply("Copy", [x], { a: int(1) }));
    expect(graph.apply("Copy", [x], { a: int(1) })).not.toBe(graph.apply("Copy", [x], { a: int(2) }));
    expect(graph.apply("Noise", [x])).not.toBe(graph.apply("Noise", [x]));
    expect(graph.nodes).toHaveLength(4);
  });

  it("holds what an operator is made of in its place", () => {
    const graph = new Graph(table);
    const x = graph.input("x", "float32", [2]);
    const y = graph.apply("Twice", [x]);
    expect(graph.nodes.map((node) => node.type)).toEqual(["Copy", "Copy"]);
    expect(y.node).toBe(graph.nodes[1]);
    expect(graph.apply("Twice", [x])).toBe(y);
    expect(graph.apply("Twice", [x], { stay: int(1) }).node?.type).toBe("Twice");
    expect(() => graph.emit("Twice", [x], {}, { outputCount: 2 })).toThrow("at most 1 output(s) of Twice");
  });

  it("holds small equal constants once, and gives whole numbers to shape rules", () => {
    const graph = new Graph(table);
    expect(graph.integers([1, 2])).toBe(graph.integers([1, 2]));
    expect(graph.integers([1, 2])).not.toBe(graph.constant(tensorOfNumbers("int64", [2, 1], [1, 2])));
    expect(graph.integers([3, -1]).contents).toEqual([3, -1]);
  });

  it("names every value once and keeps clear of reserved names", () => {
    const graph = new Graph(table);
    graph.reserveNames(["Copy_1"]);
    const x = graph.input("x", "float32", []);
    expect(graph.apply("Copy", [x]).name).toBe("Copy_1_");
    expect(graph.emit("Copy", [x], {}, { outputNames: ["Copy_1"] })[0]?.name).toBe("Copy_1");
    expect(() => graph.input("x", "float32", [])).toThrow(
      expect.objectContaining({ code: "LETHE_DATA_DUPLICATE_NAME" }),
    );
  });

  it("refuses an operator that is not in its table", () => {
    const graph = new Graph(table);
    expect(() => graph.emit("Paste", [], {}, { name: "here" })).toThrow(
      expect.objectContaining({ code: "LETHE_DATA_OPERATOR", details: { operator: "Paste", node: "here" } }),
    );
  });

  it("refuses more outputs than the operator has", () => {
    const graph = new Graph(table);
    const x = graph.input("x", "float32", []);
    expect(graph.emit("Copy", [x], {}, { outputCount: 2 })).toHaveLength(2);
    expect(() => graph.emit("Copy", [x], {}, { outputCount: 3 })).toThrow(
      "at most 2 output(s) of Copy, got 3",
    );
  });

  it("takes no value of another graph", () => {
    const x = new Graph(table).input("x", "float32", []);
    expect(() => new Graph(table).apply("Copy", [x])).toThrow("input x belongs to another graph");
  });

  it("has no two operators of one name", () => {
    expect(() => operatorTable([copy("Copy"), copy("Copy")])).toThrow("operator Copy is defined twice");
  });
});
