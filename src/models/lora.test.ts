import { describe, expect, it } from "vitest";
import { blobs } from "../../test/support/blobs.ts";
import { floatInfo, floatTensor, onnxFile } from "../../test/support/onnx-file.ts";
import { consume } from "../kernel/events.ts";
import { keyFromSeed } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { parseModel } from "../onnx/read-model.ts";
import { train } from "../training/loop.ts";
import { parseOptimizer } from "../training/optimizers.ts";
import { createPredictor } from "../training/predictor.ts";
import { createTrainer } from "../training/trainer.ts";
import { type Architecture, initialWeights } from "./architecture.ts";
import { createModel } from "./index.ts";
import { withLora } from "./lora.ts";
import { onnxArchitecture, writeClassifier } from "./onnx-model.ts";

const RUNTIME = { threads: 1, spinning: false };
const KEY = keyFromSeed(5);
const SAMPLES = blobs({ count: 18, featureShape: [7], classes: 3, seed: 1 });
const OPTIONS = { targets: ["fc1.weight", "fc2.*"], rank: 2, alpha: 6 };

const ready = createModel("mlp:5", { inputShape: [7], classes: 3 });
const values = initialWeights(ready, KEY);

async function scoresOf(model: Architecture, weights: ParameterSet): Promise<number[]> {
  await using predictor = await createPredictor(model, RUNTIME);
  return [...(await predictor.logitsOf(weights, SAMPLES))];
}

async function trained(model: Architecture): Promise<ParameterSet> {
  await using trainer = await createTrainer(model, parseOptimizer("adam"), RUNTIME);
  const options = { samples: SAMPLES, epochs: 4, batchSize: 6, learningRate: 0.05, key: KEY };
  return (await consume(train(trainer, initialWeights(model, KEY), options))).weights;
}

function expectClose(a: readonly number[], b: readonly number[]): void {
  expect(a).toHaveLength(b.length);
  a.forEach((value, at) => {
    expect(value).toBeCloseTo(b[at] as number, 5);
  });
}

/** The same perceptron as PyTorch keeps it: weights [out, in]. */
function transposedFile(): Uint8Array {
  const transposed = (name: string, [rows, columns]: readonly [number, number]) => {
    const data = values.get(name) as Float32Array;
    const turned = Array.from(
      { length: data.length },
      (_, at) => data[(at % rows) * columns + Math.floor(at / rows)] as number,
    );
    return floatTensor(name, [columns, rows], turned);
  };
  const gemm = (x: string, layer: string, y: string) => ({
    opType: "Gemm",
    input: [x, `${layer}.weight`, `${layer}.bias`],
    output: [y],
    attribute: [{ name: "transB", type: 2, i: 1n }],
  });
  return onnxFile({
    graph: {
      input: [floatInfo("x", ["batch", 7])],
      output: [floatInfo("y", ["batch", 3])],
      initializer: [
        transposed("fc1.weight", [7, 5]),
        transposed("fc2.weight", [5, 3]),
        floatTensor("fc1.bias", [5], [...(values.get("fc1.bias") as Float32Array)]),
        floatTensor("fc2.bias", [3], [...(values.get("fc2.bias") as Float32Array)]),
      ],
      node: [gemm("x", "fc1", "h"), { opType: "Relu", input: ["h"], output: ["a"] }, gemm("a", "fc2", "y")],
    },
  });
}

describe.each([
  ["a ready model", ready],
  ["a model from a file", onnxArchitecture(writeClassifier(ready, values), "brought.onnx")],
  ["a file with weights [out, in]", onnxArchitecture(transposedFile(), "turned.onnx")],
])("adapters on %s", (_what, base) => {
  const start = initialWeights(base, KEY);
  const { architecture, merged } = withLora(base, OPTIONS, start);

  it("start as the model was, and train alone", async () => {
    expect(architecture.weights.map(({ name }) => name).toSorted()).toEqual([
      "fc1.weight.lora_A",
      "fc1.weight.lora_B",
      "fc2.weight.lora_A",
      "fc2.weight.lora_B",
    ]);
    const first = initialWeights(architecture, KEY);
    expect([...(first.get("fc1.weight.lora_B") as Float32Array)]).toEqual(new Array(10).fill(0));
    expectClose(await scoresOf(architecture, first), await scoresOf(base, start));
  });

  it("give the same merged, apart, and from both files", async () => {
    const after = await trained(architecture);
    const scores = await scoresOf(architecture, after);
    const before = await scoresOf(base, start);
    expect(Math.max(...scores.map((score, at) => Math.abs(score - (before[at] as number))))).toBeGreaterThan(
      0.1,
    );
    expectClose(await scoresOf(base, merged(after)), scores);

    const one = writeClassifier(base, merged(after));
    const apart = writeClassifier(architecture, after);
    expectClose(await scoresOf(onnxArchitecture(one, "one.onnx"), merged(after)), scores);
    const read = onnxArchitecture(apart, "apart.onnx");
    expect(read.weights.map(({ name }) => name)).toContain("fc1.weight.lora_A");
    expectClose(await scoresOf(read, initialWeights(read, KEY)), scores);
    expect(parseModel(one).graph?.node).toHaveLength(
      parseModel(writeClassifier(base, start)).graph?.node.length ?? 0,
    );
  });
});

describe("adapters", () => {
  it("may train other parameters whole beside them", () => {
    const { architecture } = withLora(
      ready,
      { ...OPTIONS, targets: ["fc1.weight"], train: ["fc2.*"] },
      values,
    );
    expect(architecture.weights.map(({ name }) => name).toSorted()).toEqual([
      "fc1.weight.lora_A",
      "fc1.weight.lora_B",
      "fc2.bias",
      "fc2.weight",
    ]);
  });

  it("are drawn with variance 1/r", () => {
    const wide = createModel("logistic", { inputShape: [4000], classes: 9 });
    const { architecture } = withLora(wide, { targets: ["*"], rank: 4, alpha: 1 }, initialWeights(wide, KEY));
    const a = initialWeights(architecture, KEY).get("fc1.weight.lora_A") as Float32Array;
    expect(a).toHaveLength(16_000);
    // 16,000 squares: a standard error of 1.1 %.
    expect(a.reduce((sum, value) => sum + value * value, 0) / a.length).toBeCloseTo(1 / 4, 1.5);
  });

  it.each<[string, Partial<typeof OPTIONS>, string]>([
    ["on what is no matrix", { targets: ["fc1.bias"] }, "LETHE_USAGE_PATTERN"],
    ["of a rank above the smaller side", { rank: 4 }, "LETHE_USAGE_RANK"],
    ["of rank zero", { rank: 0 }, "LETHE_USAGE_RANK"],
  ])("%s are refused", (_what, options, code) => {
    expect(() => withLora(ready, { ...OPTIONS, ...options }, values)).toThrow(
      expect.objectContaining({ code }),
    );
  });
});
