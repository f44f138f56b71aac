import { describe, expect, it } from "vitest";
import { floatInfo, floatTensor, integerTensor, onnxFile } from "../../test/support/onnx-file.ts";
import { keyFromSeed } from "../kernel/key.ts";
import { decodeFloats, encodeFloats, type FloatFormat } from "../onnx/float-formats.ts";
import { parseModel } from "../onnx/read-model.ts";
import { parseOptimizer } from "../training/optimizers.ts";
import { createPredictor } from "../training/predictor.ts";
import { buildStepGraph } from "../training/step-graph.ts";
import { createTrainer } from "../training/trainer.ts";
import { initialWeights } from "./architecture.ts";
import { onnxArchitecture, openOnnxArchitecture, writeClassifier } from "./onnx-model.ts";

const RUNTIME = { threads: 1, spinning: false };
const KEY = keyFromSeed(1);
const matrix = Array.from({ length: 12 }, (_, at) => (at - 5) / 8);

/** The declaration of an input or output of any element type. */
function info(name: string, elemType: number, shape: readonly (number | string)[]) {
  const { type } = floatInfo(name, shape);
  return { name, type: { value: { ...type.value, value: { ...type.value.value, elemType } } } };
}

describe.each<[FloatFormat, number]>([
  ["float16", 10],
  ["bfloat16", 16],
  ["float64", 11],
])("a model in %s", (format, dataType) => {
  const file = onnxFile({
    graph: {
      input: [info("x", dataType, ["batch", 4])],
      output: [info("y", dataType, ["batch", 3])],
      initializer: [
        { name: "w", dataType, dims: [4n, 3n], rawData: encodeFloats(format, Float32Array.from(matrix)) },
      ],
      node: [{ opType: "MatMul", input: ["x", "w"], output: ["y"] }],
    },
  });

  it("is trained in float32 and written back in its own type", async () => {
    const model = onnxArchitecture(file, "other.onnx");
    expect(model.inputType).toBe("float32");
    await using trainer = await createTrainer(model, parseOptimizer("sgd"), RUNTIME);
    const start = initialWeights(model, KEY);
    const labels = BigInt64Array.of(2n, 0n);
    const { state } = await trainer.step(
      trainer.start(start),
      Float32Array.of(1, 2, 3, 4, -1, 0, 1, 2),
      labels,
      1,
    );
    expect(state.weights.get("w")).not.toEqual(start.get("w"));
    const { graph } = parseModel(writeClassifier(model, state.weights));
    expect(graph?.initializer[0]).toMatchObject({ name: "w", dataType, dims: [4n, 3n] });
    const stored = decodeFloats(format, graph?.initializer[0]?.rawData as Uint8Array);
    // Half of the last of 8, 11 and 24 binary digits of numbers below 4.
    const step = { bfloat16: 2 ** -7, float16: 2 ** -10, float64: 2 ** -23, float32: 0 }[format];
    stored.forEach((value, at) => {
      expect(Math.abs(value - (state.weights.get("w")?.[at] as number))).toBeLessThanOrEqual(step);
    });
    expect(graph?.input[0]).toEqual(parseModel(file).graph?.input[0]);
  });
});

describe("a model of tokens and a mask", () => {
  /** Mean of the embeddings that the mask counts, times a matrix; sizes open. */
  const file = (further = "attention_mask"): Uint8Array =>
    onnxFile({
      graph: {
        input: [info("input_ids", 7, ["n", "length"]), info(further, 7, ["n", "length"])],
        output: [floatInfo("y", ["n", 3])],
        initializer: [
          floatTensor("table", [6, 4], [...matrix, ...matrix.toReversed()]),
          floatTensor("head", [4, 3], matrix),
          { ...integerTensor("last", [2]), name: "last" },
          { ...integerTensor("middle", [1]), name: "middle" },
        ],
        node: [
          { opType: "Gather", input: ["table", "input_ids"], output: ["e"] },
          { opType: "Cast", input: [further], output: ["m"], attribute: [{ name: "to", type: 2, i: 1n }] },
          { opType: "Unsqueeze", input: ["m", "last"], output: ["column"] },
          { opType: "Mul", input: ["e", "column"], output: ["masked"] },
          {
            opType: "ReduceSum",
            input: ["masked", "middle"],
            output: ["s"],
            attribute: [{ name: "keepdims", type: 2, i: 0n }],
          },
          { opType: "MatMul", input: ["s", "head"], output: ["y"] },
        ],
      },
    });

  it("takes the mask from the padding where nobody gives it", async () => {
    const model = onnxArchitecture(file(), "text.onnx", { sizes: { length: 3 } });
    expect(model).toMatchObject({ inputType: "int64", inputShape: [3], labelShape: [], classes: 3 });
    await using predictor = await createPredictor(model, RUNTIME);
    const weights = initialWeights(model, KEY);
    const [padded, shorter] = [
      await predictor.logits(weights, Float32Array.of(4, 2, 0)),
      await predictor.logits(weights, Float32Array.of(4, 0, 2)),
    ];
    padded.forEach((score, at) => {
      expect(score).toBeCloseTo(shorter[at] as number, 5);
    });
    const all = matrix.concat(matrix.toReversed());
    const sum = [0, 1, 2, 3].map((at) => (all[16 + at] as number) + (all[8 + at] as number));
    const expected = [0, 1, 2].map((k) =>
      sum.reduce((total, value, at) => total + value * (matrix[at * 3 + k] as number), 0),
    );
    padded.forEach((score, at) => {
      expect(score).toBeCloseTo(expected[at] as number, 5);
    });
  });

  it("has a training graph that takes both, with sizes open", () => {
    const { contents } = buildStepGraph(openOnnxArchitecture(file(), "text.onnx"), {
      loss: "cross-entropy",
      gradients: true,
      feedsCompanions: true,
    });
    expect([...contents.outputs.keys()]).toEqual(["loss", "grad:table", "grad:head"]);
    expect(contents.inputs.map(({ name, shape }) => [name, shape])).toEqual([
      ["input_ids", ["batch", "length"]],
      ["attention_mask", ["batch", "length"]],
      ["labels", ["batch"]],
      ["table", [6, 4]],
      ["head", [4, 3]],
    ]);
  });

  it("is asked for its sizes, and for inputs that do not follow", async () => {
    expect(() => onnxArchitecture(file(), "text.onnx")).toThrow("--size length=…");
    expect(() => onnxArchitecture(file(), "text.onnx", { sizes: { width: 3 } })).toThrow(
      expect.objectContaining({ code: "LETHE_USAGE_SIZE", message: expect.stringContaining("`length`") }),
    );
    const odd = onnxArchitecture(file("temperature"), "text.onnx", { sizes: { length: 3 } });
    await expect(createPredictor(odd, RUNTIME)).rejects.toMatchObject({
      code: "LETHE_DATA_MODEL_INPUT",
      message: expect.stringContaining("`temperature`"),
    });
  });
});
