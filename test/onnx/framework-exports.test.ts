import { readFileSync } from "node:fs";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { keyFromSeed } from "../../src/kernel/key.ts";
import { sizeOf } from "../../src/kernel/layout.ts";
import { type Architecture, initialWeights } from "../../src/models/architecture.ts";
import { onnxArchitecture, writeClassifier } from "../../src/models/onnx-model.ts";
import { parseModel } from "../../src/onnx/read-model.ts";
import { writeModel } from "../../src/onnx/write-model.ts";
import { parseOptimizer } from "../../src/training/optimizers.ts";
import { createPredictor } from "../../src/training/predictor.ts";
import { buildStepGraph } from "../../src/training/step-graph.ts";
import { createTrainer } from "../../src/training/trainer.ts";

interface Exported {
  readonly x: readonly number[];
  /** What the framework's model gives in use. */
  readonly scores: readonly number[];
  readonly labels: readonly number[];
  readonly loss?: number;
  /** Norm and two products of every gradient the file's tensors were found to have. */
  readonly gradients: Readonly<Record<string, readonly number[]>>;
  readonly isProbability?: boolean;
}

const fileAt = (path: string): Uint8Array => new Uint8Array(readFileSync(new URL(path, import.meta.url)));
const golden = JSON.parse(new TextDecoder().decode(fileAt("../golden/exports.json"))) as Record<
  "torch" | "jax" | "tensorflow",
  { readonly models: Readonly<Record<string, Exported>> }
>;
const exported = [golden.torch, golden.jax, golden.tensorflow].flatMap(({ models }) =>
  Object.entries(models),
);
const RUNTIME = { threads: 1, spinning: false };
const KEY = keyFromSeed(1);
/** Single precision against double (JAX and TensorFlow: against single), relative to the largest number. */
const TOLERANCE = 1e-4;
/** Smaller gradients (a key's bias has none at all) are compared as numbers of this size. */
const LEAST_SCALE = 0.01;
/** Files with other tensors beside: folded with a normalisation, or a table of angles, which looks like a weight. */
const UNTOLD = new Set(["mobilenet", "llama", "llama-attention"]);

describe.each(exported)("the export %s", (name, answer) => {
  const file = fileAt(`../fixtures/exports/${name}.onnx`);
  const model = onnxArchitecture(file, `${name}.onnx`);
  const x = Float32Array.from(answer.x);
  const rows = x.length / sizeOf(model.inputShape);
  const labels = BigInt64Array.from(answer.labels, BigInt);

  it("gives its framework's scores", async () => {
    await using predictor = await createPredictor(model, RUNTIME);
    const scores = await predictor.logits(initialWeights(model, KEY), x);
    expectClose("scores", answer.isProbability ? softmaxRows(scores, model.classes) : scores, answer.scores);
  });

  it.runIf(answer.loss !== undefined)(
    "has its framework's loss and gradients, in any ONNX Runtime",
    async () => {
      const { results, parameters } = await differentiated(model, x, rows, labels);
      expectClose("loss", results.loss?.data, [answer.loss as number]);
      const told = Object.keys(answer.gradients);
      expect(parameters).toEqual(expect.arrayContaining(told));
      if (!UNTOLD.has(name)) expect(parameters.toSorted()).toEqual(told.toSorted());
      for (const [parameter, expected] of Object.entries(answer.gradients)) {
        expectClose(parameter, told3(results[`grad:${parameter}`]?.data as Float32Array), expected);
      }
    },
  );

  it("learns, and goes back into a file the engine and its framework's tools can read", async () => {
    await using trainer = await createTrainer(model, parseOptimizer("sgd"), RUNTIME);
    let state = trainer.start(initialWeights(model, KEY));
    const losses: number[] = [];
    for (let step = 0; step < 5; step++) {
      const taken = await trainer.step(state, x, labels, 0.1);
      losses.push(taken.loss);
      state = taken.state;
    }
    expect(losses.at(-1)).toBeLessThan(losses[0] as number);
    const bytes = writeClassifier(model, state.weights);
    const [before, after] = [file, bytes].map((one) => parseModel(one));
    expect(after?.opsetImport).toEqual(before?.opsetImport);
    expect(after?.graph?.node).toEqual(before?.graph?.node);
    expect(after?.graph?.output).toEqual(before?.graph?.output);
    const described = (one: typeof before) =>
      one?.graph?.initializer.map(({ name, dataType, dims }) => [name, dataType, dims]);
    expect(described(after)).toEqual(described(before));
    const again = onnxArchitecture(bytes, "again.onnx");
    expect(initialWeights(again, KEY)).toEqual(
      new Map(again.weights.map((weight) => [weight.name, state.weights.get(weight.name)])),
    );
    const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1 });
    const served = await session.run({
      [model.inputName]: inputOf(model, x, rows),
    });
    await session.release();
    await using predictor = await createPredictor(model, RUNTIME);
    const scores = await predictor.logits(state.weights, x);
    const own = answer.isProbability ? softmaxRows(scores, model.classes) : [...scores];
    expectClose("served scores", served[model.outputName]?.data, own);
  });
});

async function differentiated(
  model: Architecture,
  x: Float32Array,
  rows: number,
  labels: BigInt64Array,
): Promise<{ readonly results: InferenceSession.ReturnType; readonly parameters: string[] }> {
  const step = buildStepGraph(model, { loss: "cross-entropy", gradients: true });
  const session = await InferenceSession.create(writeModel(step.contents), { intraOpNumThreads: 1 });
  const weights = initialWeights(model, KEY);
  const feeds = Object.fromEntries(
    model.weights.map(({ name, shape }) => [
      name,
      new Tensor("float32", weights.get(name) as Float32Array, [...shape]),
    ]),
  );
  const known = new Set(session.inputNames);
  const results = await session.run({
    ...Object.fromEntries(Object.entries(feeds).filter(([name]) => known.has(name))),
    [model.inputName]: inputOf(model, x, rows),
    labels: new Tensor("int64", labels, [rows, ...model.labelShape]),
  });
  await session.release();
  const parameters = model.weights.filter(({ role }) => role === "parameter").map(({ name }) => name);
  return { results, parameters };
}

function inputOf(model: Architecture, x: Float32Array, rows: number): Tensor {
  const shape = [rows, ...model.inputShape];
  if (model.inputType === "int64") return new Tensor("int64", BigInt64Array.from(x, BigInt), shape);
  if (model.inputType === "int32") return new Tensor("int32", Int32Array.from(x), shape);
  return new Tensor("float32", x, shape);
}

/** As the generating script tells a gradient. */
function told3(gradient: Float32Array): number[] {
  const product = (of: (place: number) => number): number =>
    gradient.reduce((sum, value, place) => sum + value * of(place), 0);
  return [
    Math.hypot(...gradient),
    product((place) => Math.cos(0.7 * place)),
    product((place) => Math.sin(1.3 * place)),
  ];
}

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
  const scale = Math.max(LEAST_SCALE, ...answer.map(Math.abs));
  const worst = Math.max(...answer.map((value, i) => Math.abs(value - (numbers[i] as number)) / scale));
  expect(worst, name).toBeLessThan(TOLERANCE);
}
