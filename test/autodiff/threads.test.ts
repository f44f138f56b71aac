import { describe, expect, it } from "vitest";
import { gradients } from "../../src/autodiff/gradients.ts";
import { operators } from "../../src/autodiff/operators/index.ts";
import { keyFromSeed, randomStream } from "../../src/kernel/key.ts";
import {
  add,
  averagePool,
  batchNormalizationOwn,
  conv,
  convTranspose,
  gather,
  globalAveragePool,
  maxPool,
  mul,
  reduceSum,
  reshape,
  sin,
  tanh,
} from "../../src/onnx/functions/index.ts";
import { Graph } from "../../src/onnx/graph.ts";
import type { Value } from "../../src/onnx/ir.ts";
import { compileProgram, type NumericArray } from "../../src/runtime/program.ts";

/** Large enough that the engine divides the work among threads. */
const BATCH = 16;
const REPEATS = 5;
const TOLERANCE = 1e-5;

const random = randomStream(keyFromSeed("threads"));
const normal = (count: number): Float32Array => Float32Array.from({ length: count }, () => random.normal());
const sizeOf = (shape: readonly (number | string)[]): number =>
  shape.reduce<number>((product, dim) => product * (dim === "batch" ? BATCH : Number(dim)), 1);

describe("gradients of a network of layers of every kind", () => {
  it("are the same in every run with two threads, and close to those of one", async () => {
    const { loss, inputs, weights } = network();
    const outputs = new Map(gradients(loss, weights).map((value, index) => [`g${index}`, value]));
    const feeds = Object.fromEntries(
      inputs.map((input) => [
        input.name,
        normal(sizeOf(input.shape)).map((x) => (input.name === "x" ? x : x / 5)),
      ]),
    );
    const [alone] = await runs({ inputs, outputs }, feeds, 1, 1);
    const [first, ...others] = await runs({ inputs, outputs }, feeds, 2, REPEATS);
    for (const other of others) expect(other).toEqual(first);
    for (const name of outputs.keys()) {
      const [one, two] = [alone?.[name], first?.[name]] as [Float32Array, Float32Array];
      const scale = one.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      const worst = one.reduce((most, x, i) => Math.max(most, Math.abs(x - (two[i] as number)) / scale), 0);
      expect(worst, name).toBeLessThan(TOLERANCE);
    }
  });
});

describe("the gradient of reading rows many times", () => {
  // Up to 300 rows by a product with one-hot rows, beyond that by scattered addition.
  it.each([40, 1000])("is the exact sum over the reads of each of %i rows", async (rows) => {
    const [reads, width] = [4000, 16];
    const graph = new Graph(operators);
    const table = graph.input("table", "float32", [rows, width]);
    const indices = graph.input("indices", "int64", [reads]);
    const weight = graph.input("weight", "float32", [reads, width]);
    const [gradient] = gradients(reduceSum(mul(gather(table, indices), weight)), [table]);
    const chosen = Array.from({ length: reads }, () => random.below(rows));
    // Whole numbers: their sums are exact in any order.
    const weights = Float32Array.from({ length: reads * width }, () => random.below(17) - 8);
    const expected = new Float32Array(rows * width);
    weights.forEach((x, i) => {
      const at = (chosen[Math.floor(i / width)] as number) * width + (i % width);
      expected[at] = (expected[at] as number) + x;
    });
    const feeds = {
      table: normal(rows * width),
      indices: BigInt64Array.from(chosen, BigInt),
      weight: weights,
    };
    const contents = { inputs: graph.inputs, outputs: new Map([["gradient", gradient]]) };
    for (const result of await runs(contents, feeds, 2, REPEATS)) expect(result.gradient).toEqual(expected);
  });
});

/** A stride-1 plane, an overlapping pool, own statistics, depthwise, strided and transposed convolutions. */
function network(): { loss: Value; inputs: readonly Value[]; weights: readonly Value[] } {
  const graph = new Graph(operators);
  const x = graph.input("x", "float32", ["batch", 3, 16, 16]);
  const weight = (name: string, ...shape: number[]): Value => graph.input(name, "float32", shape);
  const same = { pads: [1, 1, 1, 1] };
  const weights = [
    weight("w1", 16, 3, 3, 3),
    weight("w2", 16, 16, 3, 3),
    weight("scale", 16),
    weight("shift", 16),
    weight("w3", 16, 1, 3, 3),
    weight("w4", 24, 16, 3, 3),
    weight("w5", 24, 8, 4, 4),
    weight("w6", 8, 8, 1, 1),
  ] as const;
  const [w1, w2, scale, shift, w3, w4, w5, w6] = weights;
  let h = tanh(conv(x, w1, undefined, same));
  h = add(h, batchNormalizationOwn(conv(h, w2, undefined, same), scale, shift, 1e-3).y);
  h = maxPool(h, [3, 3], { strides: [2, 2], ...same });
  h = tanh(conv(h, w3, undefined, { ...same, group: 16 }));
  h = tanh(conv(h, w4, undefined, { ...same, strides: [2, 2] }));
  h = tanh(convTranspose(h, w5, { ...same, strides: [2, 2] }));
  h = averagePool(conv(h, w6), [2, 2], { strides: [2, 2] });
  const loss = reduceSum(sin(reshape(globalAveragePool(h), ["batch", 8])));
  return { loss, inputs: graph.inputs, weights };
}

async function runs(
  contents: Parameters<typeof compileProgram>[0],
  feeds: Readonly<Record<string, NumericArray>>,
  threads: number,
  count: number,
): Promise<Readonly<Record<string, NumericArray>>[]> {
  await using program = await compileProgram(contents, { threads, spinning: false });
  const results: Readonly<Record<string, NumericArray>>[] = [];
  for (let run = 0; run < count; run++) results.push(await program.run(feeds));
  return results;
}
