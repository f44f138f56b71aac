import { describe, expect, it } from "vitest";
import { blobs } from "../../test/support/blobs.ts";
import { operators } from "../autodiff/operators/index.ts";
import { consume } from "../kernel/events.ts";
import { deriveKey, keyFromSeed, randomStream } from "../kernel/key.ts";
import { sizeOf } from "../kernel/layout.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { gemm, reshape, softmax } from "../onnx/functions/index.ts";
import { Graph } from "../onnx/graph.ts";
import type { Value } from "../onnx/ir.ts";
import { readModel } from "../onnx/read-model.ts";
import type { Tensor } from "../onnx/tensor.ts";
import { writeModel } from "../onnx/write-model.ts";
import { compileProgram } from "../runtime/program.ts";
import { train } from "../training/loop.ts";
import { parseOptimizer } from "../training/optimizers.ts";
import { createPredictor } from "../training/predictor.ts";
import { createTrainer } from "../training/trainer.ts";
import { type Architecture, initialWeights } from "./architecture.ts";
import { createModel } from "./index.ts";
import { onnxArchitecture, writeClassifier } from "./onnx-model.ts";

const RUNTIME = { threads: 1, spinning: false };
const KEY = keyFromSeed(5);
const IMAGE = { inputShape: [1, 16, 16], classes: 3 } as const;
const SAMPLES = blobs({ count: 20, featureShape: IMAGE.inputShape, classes: IMAGE.classes, seed: 1 });

async function logitsOf(model: Architecture, weights: ParameterSet): Promise<Float32Array> {
  await using predictor = await createPredictor(model, RUNTIME);
  return await predictor.logitsOf(weights, SAMPLES);
}

/** Every tensor away from its start, so that none is hidden by a zero or a one. */
function shaken(weights: ParameterSet): ParameterSet {
  return new Map(
    [...weights].map(([name, values]) => {
      const stream = randomStream(deriveKey(KEY, name));
      return [name, values.map((value) => value + 0.1 * stream.uniform())];
    }),
  );
}

/** A classifier file made by hand: flat input `pixels`, one dense layer, and what `finish` puts behind it. */
function handMade(finish: (logits: Value) => Value, features = 4, classes = 3): Uint8Array {
  const graph = new Graph(operators);
  const pixels = graph.input("pixels", "float32", ["n", features]);
  const initializers = new Map<Value, Tensor>();
  const weight = (name: string, shape: readonly number[]): Value => {
    const stream = randomStream(deriveKey(KEY, name));
    const value = graph.input(name, "float32", shape);
    const data = Float32Array.from({ length: sizeOf(shape) }, () => stream.normal());
    initializers.set(value, { dtype: "float32", shape, data });
    return value;
  };
  const logits = gemm(pixels, weight("kernel", [features, classes]), weight("offset", [classes]));
  return writeModel({ inputs: [pixels], outputs: new Map([["answer", finish(logits)]]), initializers });
}

/** What a file gives for `features` when any ONNX Runtime runs it. */
async function runFile(bytes: Uint8Array, features: Float32Array): Promise<Float32Array> {
  const model = readModel(bytes, operators);
  await using program = await compileProgram(
    { inputs: model.inputs, outputs: model.outputs, initializers: model.weights },
    RUNTIME,
  );
  const [input] = program.inputs as [string];
  const [output] = program.outputs as [string];
  return (await program.run({ [input]: features }))[output] as Float32Array;
}

describe("a written classifier", () => {
  it.each(["logistic", "mlp:7", "cnn", "cnn-bn", "cnn-medium"])(
    "%s reads back with the same scores, bit for bit",
    async (name) => {
      const model = createModel(name, IMAGE);
      const weights = shaken(initialWeights(model, KEY));
      const again = onnxArchitecture(writeClassifier(model, weights, { digest: "x" }), "again.onnx");
      expect(again).toMatchObject({ ...IMAGE, inputName: "input", outputName: "logits", id: "again.onnx" });
      const loaded = initialWeights(again, keyFromSeed(99));
      expect(new Map([...loaded].sort())).toEqual(new Map([...weights].sort()));
      expect(again.weights.filter(({ role }) => role === "buffer").map((w) => w.name)).toEqual(
        model.weights.filter(({ role }) => role === "buffer").map((w) => w.name),
      );
      expect(await logitsOf(again, loaded)).toEqual(await logitsOf(model, weights));
    },
  );

  it("keeps its metadata", () => {
    const model = createModel("logistic", IMAGE);
    const bytes = writeClassifier(model, initialWeights(model, KEY), { digest: "sha256:ab", note: "ü" });
    expect(readModel(bytes, operators).metadata).toEqual({ digest: "sha256:ab", note: "ü" });
  });

  it("written twice is the same file", () => {
    const model = createModel("cnn-bn", IMAGE);
    const weights = initialWeights(model, KEY);
    expect(writeClassifier(model, weights)).toEqual(writeClassifier(model, weights));
  });
});

describe("a model with batch normalisation, read from a file", () => {
  it("trains as the architecture it was written from, running statistics included", async () => {
    const model = createModel("cnn-bn", IMAGE);
    const weights = shaken(initialWeights(model, KEY));
    const again = onnxArchitecture(writeClassifier(model, weights), "bn.onnx");
    const trainedFrom = async (architecture: Architecture): Promise<ParameterSet> => {
      await using trainer = await createTrainer(architecture, parseOptimizer("sgd"), RUNTIME);
      const options = { samples: SAMPLES, epochs: 2, batchSize: 8, learningRate: 0.05, key: KEY };
      return (await consume(train(trainer, initialWeights(architecture, KEY), options))).weights;
    };
    const own = async (): Promise<ParameterSet> => {
      await using trainer = await createTrainer(model, parseOptimizer("sgd"), RUNTIME);
      const options = { samples: SAMPLES, epochs: 2, batchSize: 8, learningRate: 0.05, key: KEY };
      return (await consume(train(trainer, weights, options))).weights;
    };
    const [expected, found] = [await own(), await trainedFrom(again)];
    for (const [name, values] of expected) {
      // The file's momentum 0.9 and epsilon are float32: the statistics agree to their rounding.
      found.get(name)?.forEach((value, at) => {
        expect(value).toBeCloseTo(values[at] as number, 5);
      });
      expect(found.get(name)).not.toEqual(weights.get(name));
    }
  });
});

describe("a model with names of its own", () => {
  it("keeps them, trains, and goes back into a file with them", async () => {
    const model = onnxArchitecture(
      handMade((logits) => logits),
      "own.onnx",
    );
    expect(model).toMatchObject({ inputName: "pixels", outputName: "answer", inputShape: [4], classes: 3 });
    expect(model.weights.map(({ name }) => name)).toEqual(["kernel", "offset"]);

    await using trainer = await createTrainer(model, parseOptimizer("adam"), RUNTIME);
    const samples = blobs({ count: 12, featureShape: [4], classes: 3, seed: 2 });
    const start = initialWeights(model, KEY);
    const options = { samples, epochs: 1, batchSize: 5, learningRate: 0.1, key: KEY };
    const { weights } = await consume(train(trainer, start, options));
    expect(weights.get("kernel")).not.toEqual(start.get("kernel"));

    const written = readModel(writeClassifier(model, weights), operators);
    expect(written.inputs.map(({ name }) => name)).toEqual(["pixels"]);
    expect([...written.outputs.keys()]).toEqual(["answer"]);
    expect([...written.weights.keys()].map(({ name }) => name)).toEqual(["kernel", "offset"]);
  });

  it.each(["labels", "learning-rate", "step", "input"])(
    "may call its input `%s`, or is told why not",
    async (name) => {
      const graph = new Graph(operators);
      const x = graph.input(name, "float32", ["n", 4]);
      const w = graph.input("w", "float32", [4, 3]);
      const data = Float32Array.from({ length: 12 }, (_, at) => at / 12);
      const bytes = writeModel({
        inputs: [x],
        outputs: new Map([["y", gemm(x, w, undefined)]]),
        initializers: new Map([[w, { dtype: "float32", shape: [4, 3], data }]]),
      });
      const model = onnxArchitecture(bytes, "odd.onnx");
      const samples = blobs({ count: 6, featureShape: [4], classes: 3, seed: 2 });
      const options = { samples, epochs: 1, batchSize: 3, learningRate: 0.1, key: KEY };
      const attempt = async (): Promise<unknown> => {
        await using trainer = await createTrainer(model, parseOptimizer("adam"), RUNTIME);
        return await consume(train(trainer, initialWeights(model, KEY), options));
      };
      if (name === "input") return expect(await attempt()).toMatchObject({ step: 2 });
      // A name the training graph needs itself is refused in words.
      await expect(attempt()).rejects.toMatchObject({
        kind: "data",
        code: "LETHE_DATA_DUPLICATE_NAME",
        message: expect.stringContaining(`\`${name}\``),
      });
    },
  );
});

describe("a model that ends in a Softmax", () => {
  const features = Float32Array.from({ length: 8 }, (_, at) => Math.sin(at));

  it("is trained on the scores before it", async () => {
    const plain = onnxArchitecture(
      handMade((logits) => logits),
      "plain.onnx",
    );
    const model = onnxArchitecture(handMade(softmax), "softmax.onnx");
    await using a = await createPredictor(plain, RUNTIME);
    await using b = await createPredictor(model, RUNTIME);
    const weights = initialWeights(model, KEY);
    expect(await b.logits(weights, features)).toEqual(await a.logits(weights, features));
  });

  it("goes back into service with it: the file's output is still probabilities", async () => {
    const original = handMade(softmax);
    const model = onnxArchitecture(original, "softmax.onnx");
    const written = writeClassifier(model, initialWeights(model, KEY));
    const probabilities = await runFile(written, features);
    expect(probabilities).toEqual(await runFile(original, features));
    expect(probabilities.slice(0, 3).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 6);
    // And once more.
    const again = onnxArchitecture(written, "again.onnx");
    expect(await runFile(writeClassifier(again, initialWeights(again, KEY)), features)).toEqual(
      probabilities,
    );
  });

  it("keeps a Softmax over the batch, which is not a classifier's last step", async () => {
    const overBatch = handMade((logits) => softmax(logits, 0));
    const model = onnxArchitecture(overBatch, "odd.onnx");
    await using predictor = await createPredictor(model, RUNTIME);
    const scores = await predictor.logits(initialWeights(model, KEY), features);
    expect(scores).toEqual(await runFile(overBatch, features));
  });
});

describe("a file that is no classifier", () => {
  const graphOf = (build: (graph: Graph) => { inputs: Value[]; outputs: Map<string, Value> }): Uint8Array =>
    writeModel(build(new Graph(operators)));

  it.each([
    ["no file at all", new Uint8Array(0), "LETHE_DATA_ONNX"],
    ["a text", new TextEncoder().encode("not a model, but a sentence"), "LETHE_DATA_ONNX"],
    ["half a model", handMade((logits) => logits).slice(0, 60), "LETHE_DATA_ONNX"],
    [
      "a model of one batch size",
      graphOf((graph) => {
        const a = graph.input("a", "float32", ["n", 6]);
        return { inputs: [a], outputs: new Map([["y", reshape(a, [2, 6])]]) };
      }),
      "LETHE_DATA_MODEL",
    ],
    [
      "a model of one number a sample",
      graphOf((graph) => {
        const a = graph.input("a", "float32", ["n"]);
        return { inputs: [a], outputs: new Map([["y", graph.apply("Relu", [a])]]) };
      }),
      "LETHE_DATA_MODEL",
    ],
    [
      "a model of inputs without a size",
      graphOf((graph) => {
        const a = graph.input("a", "float32", ["n", "width"]);
        return { inputs: [a], outputs: new Map([["y", graph.apply("Relu", [a])]]) };
      }),
      "LETHE_DATA_MODEL",
    ],
  ])("is refused: %s", (_what, bytes, code) => {
    expect(() => onnxArchitecture(bytes, "bad.onnx")).toThrowError(
      expect.objectContaining({ code, kind: "data" }),
    );
  });
});
