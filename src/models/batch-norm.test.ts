import { expect, it } from "vitest";
import { operators } from "../autodiff/operators/index.ts";
import { deriveKey, keyFromSeed, randomStream } from "../kernel/key.ts";
import { Graph } from "../onnx/graph.ts";
import type { Value } from "../onnx/ir.ts";
import { compileProgram } from "../runtime/program.ts";
import { batchNorm, batchNormWeights } from "./batch-norm.ts";

const CHANNELS = 3;
const PLANE = 4;
const BATCH = 5;
const EPSILON = 1e-5;

it("normalises by the batch in training and by the running statistics in use, and moves these by a tenth", async () => {
  const x = draw("x", BATCH * CHANNELS * PLANE, 2);
  const weights = new Map(
    batchNormWeights("bn", CHANNELS).map(({ name }) => [name, draw(name, CHANNELS, 0.4)]),
  );
  // Variances are positive.
  for (const name of ["bn.variance"])
    weights.set(
      name,
      (weights.get(name) as Float32Array).map((v) => 0.5 + v * v),
    );
  const tensor = (name: string, channel: number): number => weights.get(name)?.[channel] as number;

  const training = await run("training", x, weights);
  const use = await run("inference", x, weights);
  for (let channel = 0; channel < CHANNELS; channel++) {
    const values = x.filter((_, at) => Math.floor(at / PLANE) % CHANNELS === channel);
    const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
    const squares = values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
    const normalised = (value: number, m: number, variance: number): number =>
      (tensor("bn.scale", channel) * (value - m)) / Math.sqrt(variance + EPSILON) +
      tensor("bn.shift", channel);
    x.forEach((value, at) => {
      if (Math.floor(at / PLANE) % CHANNELS !== channel) return;
      expect(training.y?.[at]).toBeCloseTo(normalised(value, mean, squares / values.length), 4);
      expect(use.y?.[at]).toBeCloseTo(
        normalised(value, tensor("bn.mean", channel), tensor("bn.variance", channel)),
        4,
      );
    });
    expect(training["bn.mean"]?.[channel]).toBeCloseTo(0.9 * tensor("bn.mean", channel) + 0.1 * mean, 5);
    expect(training["bn.variance"]?.[channel]).toBeCloseTo(
      0.9 * tensor("bn.variance", channel) + (0.1 * squares) / (values.length - 1),
      5,
    );
  }
  expect(Object.keys(use)).toEqual(["y"]);
});

async function run(
  mode: "training" | "inference",
  x: Float32Array,
  weights: ReadonlyMap<string, Float32Array>,
): Promise<Record<string, Float32Array>> {
  const graph = new Graph(operators);
  const input = graph.input("x", "float32", ["batch", CHANNELS, 2, 2]);
  const values = new Map([...weights.keys()].map((name) => [name, graph.input(name, "float32", [CHANNELS])]));
  const next = new Map<string, Value>();
  const y = batchNorm(input, "bn", (name) => values.get(name) as Value, mode, next);
  const outputs = new Map(
    [["y", y], ...next].map(([name, value]) => [`out:${name}`, value] as [string, Value]),
  );
  await using program = await compileProgram(
    { inputs: [input, ...values.values()], outputs },
    { threads: 1, spinning: false },
  );
  const results = await program.run({ x, ...Object.fromEntries(weights) });
  return Object.fromEntries(
    Object.entries(results).map(([name, array]) => [name.slice("out:".length), array as Float32Array]),
  );
}

function draw(name: string, count: number, spread: number): Float32Array {
  const stream = randomStream(deriveKey(keyFromSeed(1), name));
  return Float32Array.from({ length: count }, () => 0.3 + spread * stream.normal());
}
