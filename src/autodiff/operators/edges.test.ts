import { describe, expect, it } from "vitest";
import { type Attributes, int, ints } from "../../onnx/attributes.ts";
import { pow, reduceSum } from "../../onnx/functions/index.ts";
import { Graph } from "../../onnx/graph.ts";
import type { Value } from "../../onnx/ir.ts";
import { compileProgram } from "../../runtime/program.ts";
import { gradients } from "../gradients.ts";
import { operators } from "./index.ts";

/** y, ∂Σy/∂x and ∂Σ(∂Σy/∂x)/∂x at a point. */
async function derivativesAt(
  point: readonly number[],
  shape: readonly number[],
  f: (x: Value) => Value,
): Promise<{ y: number[]; first: number[]; second: number[] }> {
  const graph = new Graph(operators);
  const x = graph.input("x", "float32", shape);
  const y = f(x);
  const [first] = gradients(reduceSum(y), [x]);
  const [second] = gradients(reduceSum(first), [x]);
  const outputs = new Map([
    ["y", y],
    ["first", first],
    ["second", second],
  ]);
  await using program = await compileProgram({ inputs: [x], outputs }, { threads: 1 });
  const results = await program.run({ x: Float32Array.from(point) });
  const listOf = (name: string): number[] => Array.from(results[name] as Float32Array, (value) => value + 0);
  return { y: listOf("y"), first: listOf("first"), second: listOf("second") };
}

const applied =
  (type: string, attributes: Attributes = {}) =>
  (x: Value): Value =>
    x.graph.apply(type, [x], attributes);

describe("a norm of zeros", () => {
  const window = { kernel_shape: ints([2, 2]), strides: ints([2, 2]) };
  it.each<[string, Attributes]>([
    ["ReduceL1", {}],
    ["ReduceL2", {}],
    ["GlobalLpPool", {}],
    ["GlobalLpPool", { p: int(3) }],
    ["LpPool", window],
    ["LpNormalization", {}],
  ])("%s has the value and the derivatives 0", async (type, attributes) => {
    const zeros = [0, 0, 0, 0];
    const { y, first, second } = await derivativesAt(zeros, [1, 1, 2, 2], applied(type, attributes));
    expect(y.every((value) => value === 0)).toBe(true);
    expect(first).toEqual(zeros);
    expect(second).toEqual(zeros);
  });

  it("leaves the gradient of other rows alone", async () => {
    const { first } = await derivativesAt([0, 0, 3, 4], [2, 2], (x) =>
      x.graph.apply("ReduceL2", [x, x.graph.integers([1])]),
    );
    [0, 0, 0.6, 0.8].forEach((slope, index) => {
      expect(first[index]).toBeCloseTo(slope, 6);
    });
  });
});

describe("a power of zero", () => {
  it.each([
    [0, [0, 0]],
    [1, [1, 1]],
    [2, [0, 4]],
    [3, [0, 12]],
  ])("with exponent %i has a derivative", async (exponent, expected) => {
    const { first } = await derivativesAt([0, 2], [2], (x) => pow(x, exponent));
    expect(first).toEqual(expected);
  });

  it("does not depend on a positive exponent", async () => {
    const { first } = await derivativesAt([2, 3], [2], (e) => pow(mulByZero(e), e));
    expect(first).toEqual([0, 0]);
  });
});

const mulByZero = (x: Value): Value => x.graph.apply("Mul", [x, x.graph.scalar(0)]);

describe("far from zero", () => {
  it.each(["Mish", "Swish", "Gelu", "HardSwish"])("%s is the identity or 0", async (type) => {
    const { y, first, second } = await derivativesAt([-300, 300], [2], applied(type));
    expect(y).toEqual([0, 300]);
    expect(first).toEqual([0, 1]);
    expect(second).toEqual([0, 0]);
  });

  it("a logarithm of sums of exponentials stays finite, and what is masked out gets no gradient", async () => {
    const { y, first } = await derivativesAt([1000, 1000, Number.NEGATIVE_INFINITY], [3], (x) =>
      x.graph.apply("ReduceLogSumExp", [x], { keepdims: int(0) }),
    );
    expect(y[0]).toBeCloseTo(1000 + Math.LN2, 3);
    expect(first[0]).toBeCloseTo(0.5, 4);
    expect(first[1]).toBeCloseTo(0.5, 4);
    expect(first[2]).toBe(0);
  });
});

describe("a product", () => {
  it("gives a lone zero the product of the others, and nothing to anyone beside two zeros", async () => {
    const { first } = await derivativesAt([2, 0, 3, 0, 0, 5], [2, 3], (x) =>
      x.graph.apply("ReduceProd", [x, x.graph.integers([1])]),
    );
    expect(first).toEqual([0, 6, 0, 0, 0, 0]);
  });

  it("over an axis of open size has no gradient, and says which", () => {
    const graph = new Graph(operators);
    const x = graph.input("x", "float32", ["batch", 3]);
    const y = graph.apply("ReduceProd", [x], { keepdims: int(0) });
    expect(() => gradients(y, [x])).toThrow("axis 0 of `x` to have a known size, got `batch`");
  });
});
