import { operators } from "../autodiff/operators/index.ts";
import { LetheError } from "../kernel/errors.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { cast } from "../onnx/functions/index.ts";
import { Graph } from "../onnx/graph.ts";
import type { Value } from "../onnx/ir.ts";
import type { ModelProto } from "../onnx/proto/onnx_pb.js";
import { buildModel, type OnnxModel, parseModel } from "../onnx/read-model.ts";
import type { ExternalData } from "../onnx/read-tensor.ts";
import { rewriteModel } from "../onnx/rewrite-model.ts";
import { type Dim, formatShape, isStatic, type Shape } from "../onnx/shape.ts";
import type { Tensor } from "../onnx/tensor.ts";
import { writeModel } from "../onnx/write-model.ts";
import { type Architecture, batchShape, type Companion, type OpenArchitecture } from "./architecture.ts";
import { derivedCompanion } from "./companions.ts";
import { copyNodes } from "./copy-graph.ts";
import { findScores, scoresBehind } from "./find-scores.ts";

/** What a file does not say itself. */
export interface OnnxModelOptions {
  /** Opens the files the weights are in, where they are not in the model's. */
  readonly external?: ExternalData;
  /** Sizes for dimensions that have only a name: `{ sequence: 128 }`. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** The output that is trained; the first that holds scores when left out. */
  readonly output?: string;
  /** Take that output as it is, also where it is probabilities: for losses that compare outputs. */
  readonly asWritten?: boolean;
}

/**
 * A user's classifier from an ONNX file (opset 13 or newer) as an architecture whose weights start at the file's values.
 * Batch normalisation is trained with the batch's own statistics. Losses see scores: a final Softmax or Sigmoid, and what makes
 * labels behind it, is left out of the training graph, and is there again when the classifier is written.
 *
 * @param id - the file's name, for messages
 * @throws LETHE_DATA_ONNX when the file is not a model; LETHE_DATA_MODEL when it is not a classifier: inputs [batch, …] of
 *   numbers or token ids, an output [batch, …positions, classes], the batch open, the other sizes known;
 *   LETHE_USAGE_SIZE for a size the model does not ask for
 */
export function onnxArchitecture(
  bytes: Uint8Array,
  id: string,
  options: OnnxModelOptions = {},
): Architecture {
  const architecture = openOnnxArchitecture(bytes, id, options);
  const { inputShape, labelShape } = architecture;
  if (!isStatic(inputShape) || !isStatic(labelShape)) {
    const open = [...inputShape, ...labelShape].filter((dim) => typeof dim === "string");
    throw modelError(
      id,
      `sizes known but for the batch, got ${formatShape(["batch", ...inputShape])}; say \`--size ${open[0]}=…\``,
    );
  }
  return { ...architecture, inputShape, labelShape };
}

/** As {@link onnxArchitecture}, for a model whose other sizes may be open too. */
export function openOnnxArchitecture(
  bytes: Uint8Array,
  id: string,
  options: OnnxModelOptions = {},
): OpenArchitecture {
  const proto = parseModel(bytes);
  if (proto.graph === undefined)
    throw new LetheError("data", "DATA_ONNX", `Expected a model with a graph, got none in ${id}.`);
  const found = findScores(proto, options.output);
  if (found === undefined) throw modelError(id, `an output${options.output ? ` \`${options.output}\`` : ""}`);
  const { model, output } = readScores(proto, found.value, id, options);
  const [input, ...others] = model.inputs;
  const further = others.filter((value) => model.graph.nodes.some(({ inputs }) => inputs.includes(value)));
  if (input === undefined) throw modelError(id, "an input");
  const { dtype: inputType } = input;
  if (inputType !== "float32" && inputType !== "int64" && inputType !== "int32") {
    throw modelError(id, `an input of numbers or token ids, got ${inputType}`);
  }
  const { scores, form } = options.asWritten ? { scores: output, form: "" } : scoresBehind(output);
  const labelShape = scores.shape.slice(1, -1);
  const classes = scores.shape.at(-1);
  if (scores.shape.length < 2 || scores.shape[0] !== "batch" || typeof classes !== "number") {
    throw modelError(
      id,
      `class scores [batch, …positions, classes], the batch open, got ${formatShape(scores.shape)}`,
    );
  }
  const companions = further.map(({ name, dtype, shape }): Companion => ({ name, dtype, shape }));
  const buffers = runningStatistics(model);
  return {
    id,
    inputName: input.name,
    outputName: found.output,
    inputType,
    inputShape: input.shape.slice(1),
    labelShape,
    classes,
    weights: [...model.weights].map(([value, tensor]) => ({
      name: value.name,
      shape: tensor.shape,
      role: buffers.has(value) ? ("buffer" as const) : ("parameter" as const),
      initial: () => Float32Array.from(tensor.data as Float32Array),
    })),
    forward: (batch, weightOf, mode, given) => {
      const nextBuffers = new Map<string, Value>();
      const copied = new Map<Value, Value>([[input, batch]]);
      further.forEach((value, index) => {
        const companion = companions[index] as Companion;
        copied.set(value, given?.get(companion.name) ?? derivedCompanion(companion, batch));
      });
      for (const value of model.weights.keys()) copied.set(value, weightOf(value.name));
      const rows = batch.shape[0] ?? "batch";
      copyNodes(model.graph.nodes, batch.graph, copied, { mode, batch: rows, nextBuffers });
      return { logits: copied.get(scores) as Value, nextBuffers };
    },
    ...(companions.length === 0 ? {} : { companions }),
    rewrite: (tensors, change) => rewriteModel(proto, { ...change, tensors }, options.external),
    notes: scores === output && found.value === found.output ? [] : [noteOn(found.output, scores, form)],
  };
}

/**
 * Writes a trained classifier as an ONNX file in its form for use, input and output named as the architecture says: the file it
 * came from with other weights, where it came from one.
 *
 * @param metadata - text pairs kept in the file
 */
export function writeClassifier(
  architecture: Architecture,
  weights: ParameterSet,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  if (architecture.rewrite !== undefined) return architecture.rewrite(weights, { metadata });
  const graph = new Graph(operators);
  const input = graph.input(architecture.inputName, architecture.inputType, batchShape(architecture));
  const initializers = new Map<Value, Tensor>();
  const values = new Map<string, Value>();
  for (const { name, shape } of architecture.weights) {
    const value = graph.input(name, "float32", shape);
    values.set(name, value);
    initializers.set(value, { dtype: "float32", shape, data: weights.get(name) as Float32Array });
  }
  const { logits } = architecture.forward(input, (name) => values.get(name) as Value, "inference");
  return writeModel({
    name: architecture.id,
    inputs: [input],
    outputs: new Map([[architecture.outputName, logits]]),
    initializers,
    metadata,
  });
}

/** Reads what the scores need, the first axis of the inputs called `batch` and sizes put in the place of names. */
function readScores(
  proto: ModelProto,
  value: string,
  id: string,
  options: OnnxModelOptions,
): { readonly model: OnnxModel; readonly output: Value } {
  const names = new Set<string>();
  let batch: Dim | undefined;
  const inputShape = (_name: string, shape: Shape): Shape =>
    shape.map((dim, axis) => {
      if (axis === 0) batch ??= dim;
      if (axis === 0 && dim === batch) return "batch";
      if (typeof dim === "string") names.add(dim);
      return options.sizes?.[dim] ?? dim;
    });
  const model = buildModel(proto, operators, {
    outputs: [value],
    isInference: true,
    inputShape,
    ...(options.external === undefined ? {} : { external: options.external }),
  });
  for (const name of Object.keys(options.sizes ?? {})) {
    if (names.has(name)) continue;
    throw new LetheError(
      "usage",
      "USAGE_SIZE",
      `Expected sizes of ${[...names].map((known) => `\`${known}\``).join(", ") || "nothing (all are known)"} in ${id}, got one of \`${name}\`.`,
    );
  }
  const output = model.outputs.get(value) as Value;
  // Halves and doubles are read as float32; whole numbers are labels.
  return { model, output: output.dtype === "float32" ? output : cast(output, "float32") };
}

function noteOn(output: string, scores: Value, form: string): string {
  const behind = form === "" ? "labels" : form;
  return `Trained on the scores \`${scores.name}\` before ${behind}; \`${output}\` comes back in the written file as it was.`;
}

function runningStatistics(model: OnnxModel): ReadonlySet<Value> {
  return new Set(
    model.graph.nodes
      .filter((node) => node.type === "BatchNormalization")
      .flatMap((node) => node.inputs.slice(3))
      .filter((value): value is Value => value !== undefined),
  );
}

function modelError(id: string, expected: string): LetheError {
  return new LetheError("data", "DATA_MODEL", `Expected a classifier with ${expected}, in ${id}.`, {
    details: { file: id },
  });
}
