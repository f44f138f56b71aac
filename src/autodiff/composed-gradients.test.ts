import { describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../kernel/key.ts";
import { sizeOf } from "../kernel/layout.ts";
import {
  batchNormalizationOwn,
  gelu,
  lstmSteps,
  mul,
  reduceSum,
  relu,
  rmsNormalization,
  silu,
  square,
  tanh,
} from "../onnx/functions/index.ts";
import { Graph } from "../onnx/graph.ts";
import type { Value } from "../onnx/ir.ts";
import { compileProgram } from "../runtime/program.ts";
import { gradients } from "./gradients.ts";
import { operators } from "./operators/index.ts";

interface Case {
  readonly shapes: readonly (readonly number[])[];
  readonly build: (inputs: readonly Value[]) => Value;
}

const CASES: Readonly<Record<string, Case>> = {
  "batch normalisation": {
    shapes: [[3, 2, 2, 3], [2], [2]],
    build: ([x, scale, bias]) => batchNormalizationOwn(x as Value, scale as Value, bias as Value, 0.1).y,
  },
  "batch normalisation whose statistics count": {
    shapes: [[4, 3], [3], [3]],
    build: ([x, scale, bias]) => {
      const { y, mean, variance } = batchNormalizationOwn(x as Value, scale as Value, bias as Value, 0.1);
      return mul(y, mul(tanh(mean), variance));
    },
  },
  "the Gaussian error linear unit": { shapes: [[2, 5]], build: ([x]) => gelu(x as Value) },
  "the sigmoid linear unit": { shapes: [[2, 5]], build: ([x]) => silu(x as Value) },
  "normalisation by the root mean square": {
    shapes: [[2, 3, 4], [4]],
    build: ([x, scale]) => rmsNormalization(x as Value, scale as Value, 0.1),
  },
  "long short-term memory": {
    shapes: [
      [3, 2, 8],
      [2, 8],
    ],
    build: ([entering, recurrence]) => lstmSteps(entering as Value, recurrence as Value).outputs,
  },
  "long short-term memory of which the last states count": {
    shapes: [
      [3, 2, 8],
      [2, 8],
    ],
    build: ([entering, recurrence]) => {
      const { outputs, last } = lstmSteps(entering as Value, recurrence as Value, "iof");
      return mul(outputs, mul(...last));
    },
  },
  "one step of long short-term memory": {
    shapes: [
      [1, 2, 8],
      [2, 8],
    ],
    build: ([entering, recurrence]) => lstmSteps(entering as Value, recurrence as Value).outputs,
  },
};

/** First and second derivatives of a scalar made of the function, by the gradient it says or by those of its nodes. */
async function derivatives({ shapes, build }: Case, isWalked: boolean): Promise<readonly Float32Array[]> {
  const graph = new Graph(operators);
  if (isWalked) graph.compose = () => {};
  const inputs = shapes.map((shape, index) => graph.input(`x${index}`, "float32", shape));
  const y = build(inputs);
  const first = gradients(reduceSum(mul(square(y), tanh(y))), inputs);
  const second = gradients(first.map((gradient) => reduceSum(square(gradient))).reduce(plus), inputs);
  const outputs = new Map([...first, ...second].map((value, index) => [`d${index}`, value]));
  await using program = await compileProgram({ inputs, outputs }, { threads: 1, spinning: false });
  const stream = randomStream(keyFromSeed(3));
  const feeds = inputs.map(({ name, shape }) => [
    name,
    Float32Array.from({ length: sizeOf(shape as number[]) }, () => 2 * stream.uniform() - 1),
  ]);
  const results = await program.run(Object.fromEntries(feeds));
  return [...outputs.keys()].map((name) => results[name] as Float32Array);
}

function plus(a: Value, b: Value): Value {
  return a.graph.apply("Add", [a, b]);
}

describe("the gradient a composed function says", () => {
  it.each(Object.entries(CASES))("is that of its nodes, in first and second order: %s", async (_what, of) => {
    const [said, walked] = [await derivatives(of, false), await derivatives(of, true)];
    said.forEach((values, index) => {
      const expected = walked[index] as Float32Array;
      const scale = Math.max(1e-3, ...expected.map(Math.abs));
      values.forEach((value, at) => {
        expect(Math.abs(value - (expected[at] as number)) / scale).toBeLessThan(2e-5);
      });
    });
  });

  it("gives way to the nodes' own where a value inside is asked for", async () => {
    const graph = new Graph(operators);
    const x = graph.input("x", "float32", [4]);
    const y = gelu(relu(x));
    const inside = y.node?.inputs[1] as Value; // Φ(x)
    const [dx, dInside] = gradients(reduceSum(y), [x, inside]);
    const outputs = new Map(Object.entries({ dx, dInside }));
    await using program = await compileProgram({ inputs: [x], outputs }, { threads: 1, spinning: false });
    const results = await program.run({ x: Float32Array.of(-1, 0.5, 1, 2) });
    expect(results.dInside).toEqual(Float32Array.of(0, 0.5, 1, 2));
    expect((results.dx as Float32Array)[2]).toBeCloseTo(1.0833155, 5); // Φ(1) + φ(1)
  });
});
