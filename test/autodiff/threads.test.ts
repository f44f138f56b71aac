import { describe, expect, it } from "vitest";
import { gradients } from "../../src/autodiff/gradients.ts";
import { operators } from "../../src/autodiff/operators/index.ts";
import { keyFromSeed, randomStream } from "../../src/kernel/key.ts";
import { float, int, ints, text } from "../../src/onnx/attributes.ts";
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
  softmax,
  tanh,
  transpose,
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

describe("gradients of networks of layers of every kind", () => {
  it.each([
    ["convolutions and pools", network],
    ["normalisations, attention and dropout", tokenNetwork],
  ])("%s: are the same in every run with two threads, and close to those of one", async (_title, build) => {
    const { loss, inputs, weights } = build();
    const outputs = new Map(gradients(loss, weights).map((value, index) => [`g${index}`, value]));
    const feeds = Object.fromEntries(
      inputs.map((input) => [
        input.name,
        input.dtype === "int64"
          ? BigInt64Array.of(5n)
          : normal(sizeOf(input.shape)).map((x) => (input.name === "x" ? x : x / 5)),
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

/** Normalisations by groups, neighbours, norms and roots; a pool with gaps; attention as sums of products; dropout; sums and products. */
function tokenNetwork(): { loss: Value; inputs: readonly Value[]; weights: readonly Value[] } {
  const graph = new Graph(operators);
  const x = graph.input("x", "float32", ["batch", 16, 12, 12]);
  graph.input("dropout-seed", "int64", []);
  const weight = (name: string, ...shape: number[]): Value => graph.input(name, "float32", shape);
  const weights = [
    weight("scale", 16),
    weight("shift", 16),
    weight("query", 16, 2, 8),
    weight("key", 16, 2, 8),
    weight("gain", 16),
    weight("slope", 16),
  ] as const;
  const [scale, shift, query, key, gain, slope] = weights;
  const einsum = (equation: string, ...values: Value[]): Value =>
    graph.apply("Einsum", values, { equation: text(equation) });
  let h = graph.apply("GroupNormalization", [x, scale, shift], { num_groups: int(4) });
  h = graph.apply("LRN", [h], { size: int(3), alpha: float(0.5) });
  h = graph.apply("AveragePool", [h], { kernel_shape: ints([2, 2]), dilations: ints([2, 2]) });
  h = graph.apply("LpPool", [h], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) });
  const tokens = transpose(reshape(h, ["batch", 16, 25]), [0, 2, 1]);
  const scores = softmax(
    einsum("bqhd,bkhd->bhqk", einsum("btc,chd->bthd", tokens, query), einsum("btc,chd->bthd", tokens, key)),
  );
  let mixed = einsum("bhqk,bkc->bqc", scores, tokens);
  mixed = graph.apply("RMSNormalization", [mixed, gain]);
  mixed = graph.apply("PRelu", [graph.apply("Gelu", [mixed]), slope]);
  const isTraining = graph.constant({ dtype: "bool", shape: [], data: Uint8Array.of(1) });
  mixed = graph.apply("Dropout", [mixed, graph.scalar(0.25), isTraining]);
  mixed = graph.apply("CumSum", [mixed, graph.scalar(1, "int64")]);
  const products = graph.apply("ReduceProd", [sin(mixed), graph.integers([2])], { keepdims: int(0) });
  const loss = add(reduceSum(sin(mixed)), reduceSum(mul(products, 100)));
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
