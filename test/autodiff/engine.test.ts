import { fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, it } from "vitest";
import { operators } from "../../src/autodiff/operators/index.ts";
import { type Key, keyFromSeed } from "../../src/kernel/key.ts";
import { intsAttribute, numberAttribute, stringAttribute } from "../../src/onnx/attributes.ts";
import type { GraphNode } from "../../src/onnx/ir.ts";
import { ModelProtoSchema } from "../../src/onnx/proto/onnx_pb.js";
import { type ModelContents, writeModel } from "../../src/onnx/write-model.ts";
import type { NdArray } from "../support/interpreter/nd-array.ts";
import { interpret } from "../support/interpreter.ts";
import { applyCase, expectClose, typed, wholeOperators } from "./apply-case.ts";
import { cases } from "./cases/index.ts";
import type { OperatorCase } from "./operator-case.ts";

/** What single precision leaves. */
const TOLERANCE = 3e-6;
const RUNS = 6;
/** The newest opset ONNX Runtime 1.30 reads, and where an operator's kernel is for older ones only, the newest of these. */
const NEWEST_OPSET = 26n;
const OPSETS: Readonly<Record<string, bigint>> = { GlobalLpPool: 21n };

/** What the engine refuses although the standard has it, in its own words: other uses are drawn in place of these. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  Conv: /Dilation not supported for AutoPadType/,
  Einsum: /Ellipsis represents incompatible dimensions/, // an ellipsis for as many axes in each term only
  MaxPool: /padding values must be non-negative/, // SAME with strides beyond the window
  GroupNormalization: /BroadcastIterator/, // parameters for each group, as in opset 18
  GRU: /layout_ == 0/,
  LSTM: /layout_ == 0/,
  RNN: /layout_ == 0/,
  Resize: /exclude_outside can be set to 1 when|not supported/,
  LRN: /X_shape.NumDimensions\(\) == 4|size_ % 2 == 1/,
  "com.microsoft:SkipLayerNormalization": /expected to have 3 or 2 dimensions/,
  "com.microsoft:SkipSimplifiedLayerNormalization": /expected to have 3 or 2 dimensions/,
};

/**
 * Where the engine gives fewer elements under `auto_pad` SAME than the standard says: it takes no account of gaps in the window of
 * a pool, and none of the strides of a transposed convolution beyond its kernel.
 */
function departs(type: string, { attributes, inputs }: GraphNode): boolean {
  // A single query of a causal model is taken for the newest one, which sees every key.
  if (type === "com.microsoft:MultiHeadAttention") {
    return inputs[0]?.shape[1] === 1 && numberAttribute(attributes, "unidirectional", 0) !== 0;
  }
  if (!stringAttribute(attributes, "auto_pad", "NOTSET").startsWith("SAME")) return false;
  if (type.endsWith("Pool")) return "dilations" in attributes;
  const kernel = inputs[1]?.shape.slice(2) ?? [];
  const strides = intsAttribute(attributes, "strides", []);
  return type === "ConvTranspose" && strides.some((stride, axis) => stride > Number(kernel[axis]));
}

/** In the standard but without a kernel: here only the definition in double precision stands against the parts. */
const WITHOUT_KERNEL = ["Swish"];
/** Kernels for part of the forms, which end the process on others: exported models stand against the parts, in `test/onnx`. */
const FRAGILE = ["Attention", "com.microsoft:Attention"];
/** Upsample, gone since opset 10: ONNX Runtime copies the input where a scale such as 1.25 leaves the sizes as they are. */
const DIFFERENT = ["Upsample"];

describe("an operator that is made of others here is what it is as a node of its own in ONNX Runtime", () => {
  const composed = [...operators].filter(([, { lower }]) => lower !== undefined).map(([key]) => key);
  it.each(composed.filter((type) => ![...WITHOUT_KERNEL, ...FRAGILE, ...DIFFERENT].includes(type)))(
    "%s",
    async (type) => {
      await fc.assert(
        fc.asyncProperty(cases[type] as fc.Arbitrary<OperatorCase>, fc.nat(), (testCase, seed) =>
          checkEngine(type, testCase, keyFromSeed(seed)),
        ),
        { numRuns: RUNS, seed: 2 },
      );
    },
  );
});

async function checkEngine(type: string, testCase: OperatorCase, key: Key): Promise<void> {
  const { inputs, outputs, feeds } = applyCase(testCase, "float32", key, wholeOperators);
  fc.pre(!departs(type, outputs[0]?.node as GraphNode));
  const named = new Map(outputs.map((value, index) => [`y${index}`, value]));
  const model = inOpset(OPSETS[type] ?? NEWEST_OPSET, { inputs, outputs: named });
  const tensors = inputs.map(({ name, dtype }) => {
    const { shape, data } = feeds[name] as NdArray;
    return [name, new Tensor(dtype as "float32", typed(data, dtype) as Float32Array, shape)] as const;
  });
  const results = await runOnce(model, Object.fromEntries(tensors)).catch((error: Error) => {
    fc.pre(REFUSED[type]?.test(error.message) !== true);
    throw error;
  });
  interpret(outputs, feeds).forEach((expected, index) => {
    const got = Array.from(results[`y${index}`]?.data as Float32Array, Number);
    expectClose(got, expected.data, TOLERANCE, `output ${index}`);
  });
}

async function runOnce(
  model: Uint8Array,
  feeds: InferenceSession.FeedsType,
): Promise<InferenceSession.ReturnType> {
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

function inOpset(version: bigint, contents: ModelContents): Uint8Array {
  const model = fromBinary(ModelProtoSchema, writeModel(contents));
  for (const entry of model.opsetImport) if (entry.domain === "") entry.version = version;
  return toBinary(ModelProtoSchema, model);
}
