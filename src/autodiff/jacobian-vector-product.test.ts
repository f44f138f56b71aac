import { expect, it } from "vitest";
import { exp, matmul, mul, reduceSum, sin, tanh } from "../onnx/functions/index.ts";
import { Graph } from "../onnx/graph.ts";
import type { Value } from "../onnx/ir.ts";
import { compileProgram, type NumericArray } from "../runtime/program.ts";
import { gaussNewtonProduct } from "./gauss-newton-product.ts";
import { gradients } from "./gradients.ts";
import { hessianVectorProduct } from "./hessian-vector-product.ts";
import { jacobianVectorProduct } from "./jacobian-vector-product.ts";
import { operators } from "./operators/index.ts";

async function evaluate(
  graph: Graph,
  outputs: Readonly<Record<string, Value>>,
  feeds: Readonly<Record<string, NumericArray>>,
): Promise<Readonly<Record<string, number[]>>> {
  await using program = await compileProgram(
    { inputs: graph.inputs, outputs: new Map(Object.entries(outputs)) },
    { threads: 1, spinning: false },
  );
  const results = await program.run(feeds);
  return Object.fromEntries(Object.keys(outputs).map((name) => [name, [...(results[name] as Float32Array)]]));
}

const expectAll = (got: readonly number[] | undefined, expected: readonly number[]): void => {
  expect(got).toHaveLength(expected.length);
  expected.forEach((value, at) => {
    expect(got?.[at]).toBeCloseTo(value, 5);
  });
};

it("the product with a Jacobian is the derivative along the direction, over several inputs", async () => {
  const graph = new Graph(operators);
  const [a, b, da, db] = ["a", "b", "da", "db"].map((name) => graph.input(name, "float32", [2])) as [
    Value,
    Value,
    Value,
    Value,
  ];
  const along = [
    { value: a, direction: da },
    { value: b, direction: db },
  ];
  const y = mul(sin(a), exp(b));
  const feeds = {
    a: Float32Array.of(0.3, -1),
    b: Float32Array.of(0.5, 0.2),
    da: Float32Array.of(2, -1),
    db: Float32Array.of(0.5, 3),
  };
  const expected = [0, 1].map((i) => {
    const [x, z, dx, dz] = [feeds.a[i], feeds.b[i], feeds.da[i], feeds.db[i]] as [
      number,
      number,
      number,
      number,
    ];
    return Math.cos(x) * Math.exp(z) * dx + Math.sin(x) * Math.exp(z) * dz;
  });
  const found = await evaluate(
    graph,
    { once: jacobianVectorProduct(y, along), twice: jacobianVectorProduct(y, along) },
    feeds,
  );
  expectAll(found.once, expected);
  expectAll(found.twice, expected);
});

it("what does not depend on the inputs does not move", async () => {
  const graph = new Graph(operators);
  const a = graph.input("a", "float32", [2]);
  const b = graph.input("b", "float32", ["n"]);
  const still = jacobianVectorProduct(exp(b), [{ value: a, direction: a }]);
  const feeds = { a: Float32Array.of(1, 2), b: Float32Array.of(1, 2, 3) };
  expect((await evaluate(graph, { still }, feeds)).still).toEqual([0, 0, 0]);
});

it("a direction made of the point itself counts as a constant", async () => {
  const graph = new Graph(operators);
  const w = graph.input("w", "float32", [2]);
  // f = Σ w³: H = diag(6w), ∇f = 3w², so H∇f = 18w³. Were the direction differentiated too there would be more.
  const f = reduceSum(mul(w, mul(w, w)));
  const [slope] = gradients(f, [w]);
  const [product] = hessianVectorProduct(f, [{ value: w, direction: slope }]) as [Value];
  const found = await evaluate(graph, { product }, { w: Float32Array.of(1, -2) });
  expectAll(found.product, [18, -144]);
});

it("the Gauss-Newton product leaves out the curvature of outputs that are their own derivative", async () => {
  const graph = new Graph(operators);
  const x = graph.input("x", "float32", [3, 2]);
  const w = graph.input("w", "float32", [2, 1]);
  const v = graph.input("v", "float32", [2, 1]);
  // y = tanh(xw): its derivative 1 − y² is made of y, which is where a careless product differentiates too much.
  const y = tanh(matmul(x, w));
  const loss = reduceSum(mul(mul(y, y), mul(y, y)));
  const [product] = gaussNewtonProduct(loss, y, [{ value: w, direction: v }]) as [Value];
  const feeds = {
    x: Float32Array.of(0.5, -1, 1, 0.3, -0.7, 0.2),
    w: Float32Array.of(0.8, -0.4),
    v: Float32Array.of(1, 2),
  };
  const expected = [0, 0];
  for (let row = 0; row < 3; row++) {
    const [a, b] = [feeds.x[2 * row], feeds.x[2 * row + 1]] as [number, number];
    const t = Math.tanh(a * (feeds.w[0] as number) + b * (feeds.w[1] as number));
    const slope = 1 - t * t;
    const moved = slope * (a * (feeds.v[0] as number) + b * (feeds.v[1] as number));
    const pulled = slope * 12 * t * t * moved;
    expected[0] = (expected[0] as number) + pulled * a;
    expected[1] = (expected[1] as number) + pulled * b;
  }
  expectAll((await evaluate(graph, { product }, feeds)).product, expected);
});
