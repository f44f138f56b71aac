import { readFileSync } from "node:fs";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { keyFromSeed } from "../../src/kernel/key.ts";
import { initialWeights } from "../../src/models/architecture.ts";
import { onnxArchitecture, writeClassifier } from "../../src/models/onnx-model.ts";
import { parseModel } from "../../src/onnx/read-model.ts";
import { writeModel } from "../../src/onnx/write-model.ts";
import { parseOptimizer } from "../../src/training/optimizers.ts";
import { createPredictor } from "../../src/training/predictor.ts";
import { buildStepGraph } from "../../src/training/step-graph.ts";
import { createTrainer } from "../../src/training/trainer.ts";

const fileAt = (path: string): Uint8Array => new Uint8Array(readFileSync(new URL(path, import.meta.url)));
const golden = JSON.parse(new TextDecoder().decode(fileAt("../golden/imported-models.json"))) as {
  readonly residual: {
    readonly x: number[];
    readonly labels: number[];
    readonly scores: number[];
    readonly loss: number;
    readonly gradients: Record<string, number[]>;
    readonly statistics: Record<string, number[]>;
  };
  readonly perceptrons: { readonly x: number[] } & Readonly<Record<string, number[]>>;
};
const RUNTIME = { threads: 1, spinning: false };
const KEY = keyFromSeed(1);
/** Single precision against double, relative to the largest element. */
const TOLERANCE = 1e-4;

const residual = onnxArchitecture(fileAt("../fixtures/residual-training.onnx"), "residual.onnx");

describe("a residual network that PyTorch exported in training mode", () => {
  it("has PyTorch's loss, gradients and running statistics, in any ONNX Runtime", async () => {
    const { x, labels, loss, gradients, statistics } = golden.residual;
    const step = buildStepGraph(residual, {
      loss: "cross-entropy",
      gradients: true,
      optimizer: parseOptimizer("sgd"),
    });
    const session = await InferenceSession.create(writeModel(step.contents), { intraOpNumThreads: 1 });
    const weights = initialWeights(residual, KEY);
    const feeds = Object.fromEntries(
      residual.weights.map(({ name, shape }) => [
        name,
        new Tensor("float32", weights.get(name) as Float32Array, [...shape]),
      ]),
    );
    const results = await session.run({
      ...feeds,
      image: new Tensor("float32", Float32Array.from(x), [5, 1, 8, 8]),
      labels: new Tensor("int64", BigInt64Array.from(labels, BigInt), [5]),
      "learning-rate": new Tensor("float32", [0.1], []),
    });
    await session.release();
    expectClose("loss", results.loss?.data, [loss]);
    const names = residual.weights.filter(({ role }) => role === "parameter").map(({ name }) => name);
    expect(names.toSorted()).toEqual(Object.keys(gradients).toSorted());
    for (const [name, answer] of Object.entries(gradients)) {
      expectClose(name, results[`grad:${name}`]?.data, answer);
    }
    for (const [name, answer] of Object.entries(statistics)) {
      expectClose(name, results[`next:${name}`]?.data, answer);
    }
  });

  it("has PyTorch's scores when it is used", async () => {
    await using predictor = await createPredictor(residual, RUNTIME);
    const scores = await predictor.logits(
      initialWeights(residual, KEY),
      Float32Array.from(golden.residual.x),
    );
    expectClose("scores", scores, golden.residual.scores);
  });

  it("goes back into its file after a step: names, opset, nodes and types as they came", async () => {
    const { x, labels } = golden.residual;
    await using trainer = await createTrainer(residual, parseOptimizer("sgd"), RUNTIME);
    const { state } = await trainer.step(
      trainer.start(initialWeights(residual, KEY)),
      Float32Array.from(x),
      BigInt64Array.from(labels, BigInt),
      0.1,
    );
    const bytes = writeClassifier(residual, state.weights, { digest: "d" });
    const [before, after] = [fileAt("../fixtures/residual-training.onnx"), bytes].map((file) =>
      parseModel(file),
    );
    expect(after?.opsetImport).toEqual(before?.opsetImport);
    expect(after?.irVersion).toEqual(before?.irVersion);
    expect(after?.graph?.node).toEqual(before?.graph?.node);
    expect([after?.graph?.input, after?.graph?.output]).toEqual([
      before?.graph?.input,
      before?.graph?.output,
    ]);
    expect(after?.graph?.initializer.map(({ name, dataType, dims }) => [name, dataType, dims])).toEqual(
      before?.graph?.initializer.map(({ name, dataType, dims }) => [name, dataType, dims]),
    );
    expect(after?.metadataProps.map(({ key }) => key)).toContain("digest");
    const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1 });
    expect([...session.inputNames, ...session.outputNames]).toEqual(["image", "scores"]);
    await session.release();
    const again = initialWeights(onnxArchitecture(bytes, "again.onnx"), KEY);
    expect(again).toEqual(new Map([...again.keys()].map((name) => [name, state.weights.get(name)])));
  });
});

describe.each(["perceptron-words", "perceptron-binary", "perceptron-scaled"])(
  "scikit-learn's %s, which gives labels and tables",
  (name) => {
    const file = fileAt(`../fixtures/${name}.onnx`);
    const model = onnxArchitecture(file, `${name}.onnx`);
    const rows = Float32Array.from(golden.perceptrons.x);

    it("is trained on the scores behind scikit-learn's probabilities", async () => {
      await using predictor = await createPredictor(model, RUNTIME);
      const scores = await predictor.logits(initialWeights(model, KEY), rows);
      expectClose("probabilities", softmaxRows(scores, model.classes), golden.perceptrons[name] as number[]);
      expect(model.notes?.[0]).toMatch(/before (Softmax|Sigmoid); `output_label` comes back/);
    });

    it("keeps its labels and tables in the file that is written", async () => {
      const weights = initialWeights(model, KEY);
      const moved = new Map([...weights].map(([key, values]) => [key, values.map((value) => -value)]));
      const [before, after] = [file, writeClassifier(model, moved)].map((bytes) => parseModel(bytes).graph);
      expect(after?.node).toEqual(before?.node);
      expect(after?.output).toEqual(before?.output);
      expect(initialWeights(onnxArchitecture(writeClassifier(model, moved), "again.onnx"), KEY)).toEqual(
        moved,
      );
    });
  },
);

function softmaxRows(scores: Float32Array, classes: number): number[] {
  return Array.from({ length: scores.length / classes }, (_, row) => {
    const exps = [...scores.subarray(row * classes, (row + 1) * classes)].map(Math.exp);
    const sum = exps.reduce((total, value) => total + value, 0);
    return exps.map((value) => value / sum);
  }).flat();
}

function expectClose(name: string, got: ArrayLike<unknown> | undefined, answer: readonly number[]): void {
  const numbers = Array.from(got ?? [], Number);
  expect(numbers.length, name).toBe(answer.length);
  const scale = Math.max(...answer.map(Math.abs));
  const worst = Math.max(...answer.map((x, i) => Math.abs(x - (numbers[i] as number)) / scale));
  expect(worst, name).toBeLessThan(TOLERANCE);
}
