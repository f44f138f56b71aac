import { describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../kernel/key.ts";
import { float, int } from "../onnx/attributes.ts";
import {
  add,
  batchNormalization,
  conv,
  layerNormalization,
  matmul,
  mul,
  onesLike,
  reduceSum,
  sub,
  tanh,
  transpose,
} from "../onnx/functions/index.ts";
import { Graph } from "../onnx/graph.ts";
import type { Value } from "../onnx/ir.ts";
import { compileProgram } from "../runtime/program.ts";
import { gradients } from "./gradients.ts";
import { operators } from "./operators/index.ts";
import { perSampleGradients } from "./per-sample-gradients.ts";

interface Use {
  /** Of one sample. */
  readonly input: readonly number[];
  readonly parameters: readonly (readonly number[])[];
  readonly build: (x: Value, parameters: readonly Value[]) => Value;
}

const BATCH = 3;

const uses: Readonly<Record<string, Use>> = {
  "a dense layer with scaled, transposed weights and a scaled bias": {
    input: [4],
    parameters: [
      [2, 4],
      [1, 2],
    ],
    build: (x, [w, b]) =>
      x.graph.apply("Gemm", [x, w, b], { transB: int(1), alpha: float(0.5), beta: float(2) }),
  },
  "a product with axes between batch and features, and a bias over them": {
    input: [5, 4],
    parameters: [[4, 2], [2], [5, 1]],
    build: (x, [w, b, c]) => add(add(matmul(x, w as Value), b as Value), c as Value),
  },
  "a strided, dilated convolution in groups with bias": {
    input: [4, 7, 6],
    parameters: [[6, 2, 2, 3], [6]],
    build: (x, [w, b]) =>
      conv(x, w as Value, b, { group: 2, strides: [2, 1], dilations: [1, 2], pads: [1, 2, 0, 1] }),
  },
  "a convolution over one axis": {
    input: [2, 6],
    parameters: [[3, 2, 3]],
    build: (x, [w]) => conv(x, w as Value),
  },
  "a normalisation with given statistics": {
    input: [3, 4],
    parameters: [[3], [3]],
    build: (x, [scale, shift]) => {
      const ones = onesLike(scale as Value);
      return batchNormalization(x, scale as Value, shift as Value, ones, ones, 1e-3);
    },
  },
  "a layer normalisation": {
    input: [3, 4],
    parameters: [[4], [4]],
    build: (x, [scale, shift]) => layerNormalization(x, scale as Value, shift as Value, 1e-3),
  },
  "factors and differences that are broadcast": {
    input: [3, 4],
    parameters: [[4], [1, 3, 1], [3, 4]],
    build: (x, [a, b, c]) => sub(c as Value, sub(mul(a as Value, x), b as Value)),
  },
  "one weight in two places": {
    input: [4],
    parameters: [[4, 4]],
    build: (x, [w]) => matmul(tanh(matmul(x, w as Value)), w as Value),
  },
};

describe("every sample's gradient", () => {
  it.each(Object.entries(uses))("is that of the sample alone: %s", async (_name, use) => {
    const stream = randomStream(keyFromSeed(11));
    const normal = (sizes: readonly number[]): Float32Array =>
      Float32Array.from({ length: sizes.reduce((product, size) => product * size, 1) }, () =>
        stream.normal(),
      );
    const feeds = Object.fromEntries(use.parameters.map((shape, index) => [`p${index}`, normal(shape)]));
    const samples = Array.from({ length: BATCH }, () => normal(use.input));

    const graph = new Graph(operators);
    const x = graph.input("x", "float32", ["batch", ...use.input]);
    const parameters = use.parameters.map((shape, index) => graph.input(`p${index}`, "float32", shape));
    const y = tanh(use.build(x, parameters));
    const found = perSampleGradients(y, onesLike(y), parameters);
    if (found === undefined) throw new Error("no rule");
    const outputs = new Map<string, Value>();
    gradients(reduceSum(y), parameters).forEach((value, index) => {
      outputs.set(`alone ${index}`, value);
    });
    found.forEach(({ gradients: own, squaredNorms, sumOfSquares }, index) => {
      outputs.set(`gradients ${index}`, own);
      outputs.set(`norms ${index}`, squaredNorms);
      outputs.set(`squares ${index}`, sumOfSquares);
    });
    await using program = await compileProgram(
      { inputs: graph.inputs, outputs },
      { threads: 1, spinning: false },
    );
    const all = Float32Array.from(samples.flatMap((sample) => [...sample]));
    const batch = await program.run({ ...feeds, x: all });
    const alone = await Promise.all(samples.map((sample) => program.run({ ...feeds, x: sample })));
    for (const index of parameters.keys()) {
      const expected = alone.map((result) => [...(result[`alone ${index}`] as Float32Array)]);
      expectClose(batch[`gradients ${index}`], expected.flat());
      expectClose(
        batch[`norms ${index}`],
        expected.map((row) => row.reduce((sum, value) => sum + value ** 2, 0)),
      );
      expectClose(
        batch[`squares ${index}`],
        (expected[0] as number[]).map((_, at) =>
          expected.reduce((sum, row) => sum + (row[at] as number) ** 2, 0),
        ),
      );
    }
  });

  it("is left to others where a weight is changed first or feeds nothing", () => {
    const graph = new Graph(operators);
    const x = graph.input("x", "float32", ["batch", 4]);
    const w = graph.input("w", "float32", [3, 4]);
    const unused = graph.input("unused", "float32", [3]);
    const y = matmul(x, transpose(w, [1, 0]));
    expect(perSampleGradients(y, onesLike(y), [w])).toBeUndefined();
    expect(perSampleGradients(x, onesLike(x), [unused])).toBeUndefined();
  });
});

function expectClose(got: ArrayLike<unknown> | undefined, expected: readonly number[]): void {
  expect(got).toHaveLength(expected.length);
  const scale = Math.max(1, ...expected.map(Math.abs));
  expected.forEach((value, at) => {
    expect(Math.abs(Number(got?.[at]) - value) / scale, `element ${at}`).toBeLessThan(1e-5);
  });
}
