import { operators } from "../autodiff/operators/index.ts";
import { LetheError } from "../kernel/errors.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { numberAttribute } from "../onnx/attributes.ts";
import { batchNormalizationOwn, softmax } from "../onnx/functions/index.ts";
import { Graph } from "../onnx/graph.ts";
import type { GraphNode, Value } from "../onnx/ir.ts";
import { type OnnxModel, readModel } from "../onnx/read-model.ts";
import { formatShape, isStatic } from "../onnx/shape.ts";
import type { Tensor } from "../onnx/tensor.ts";
import { writeModel } from "../onnx/write-model.ts";
import { type Architecture, batchShape, type Mode } from "./architecture.ts";
import { moveStatistic } from "./batch-norm.ts";

/**
 * A user's classifier from an ONNX file (opset 13 or newer) as an architecture whose weights start at the file's values.
 * Batch normalisation is trained with the batch's own statistics; a final Softmax is taken off, so that losses see logits,
 * and put back when the classifier is written.
 *
 * @param id - the file's name, for messages
 * @throws LETHE_DATA_ONNX when the file is not a model; LETHE_DATA_MODEL when it is not a classifier of one input (numbers or
 *   token ids) and one output [batch, …positions, classes]
 */
export function onnxArchitecture(bytes: Uint8Array, id: string): Architecture {
  const model = readModel(bytes, operators);
  const [input] = model.inputs;
  const output = [...model.outputs.values()][0];
  if (input === undefined || model.inputs.length !== 1 || output === undefined) {
    throw modelError(
      id,
      `one data input and an output, got inputs ${model.inputs.map(({ name }) => `\`${name}\``).join(", ") || "none"}`,
    );
  }
  const inputShape = input.shape.slice(1);
  const inputType = input.dtype;
  const labelShape = output.shape.slice(1, -1);
  const classes = output.shape.at(-1);
  if (inputType !== "float32" && inputType !== "int64")
    throw modelError(id, `an input of float32 numbers or int64 token ids, got ${inputType}`);
  if (!isStatic(inputShape))
    throw modelError(id, `sizes of the input known but for the batch, got ${formatShape(input.shape)}`);
  if (output.shape.length < 2 || !isStatic(labelShape) || typeof classes !== "number") {
    throw modelError(id, `class scores [batch, …positions, classes], got ${formatShape(output.shape)}`);
  }
  const buffers = runningStatistics(model);
  const logits = scoresBehind(output);
  return {
    id,
    inputName: input.name,
    outputName: [...model.outputs.keys()][0] as string,
    inputType,
    inputShape,
    labelShape,
    classes,
    weights: [...model.weights].map(([value, tensor]) => ({
      name: value.name,
      shape: tensor.shape,
      role: buffers.has(value) ? ("buffer" as const) : ("parameter" as const),
      initial: () => Float32Array.from(floatsOf(tensor, id)),
    })),
    forward: (batch, weightOf, mode) => {
      const nextBuffers = new Map<string, Value>();
      const copied = new Map<Value, Value>([[input, batch]]);
      for (const value of model.weights.keys()) copied.set(value, weightOf(value.name));
      for (const node of model.graph.nodes) copyNode(node, batch, copied, mode, nextBuffers);
      return { logits: copied.get(logits) as Value, nextBuffers };
    },
    ...(logits === output ? {} : { finish: (scores: Value) => softmax(scores) }),
  };
}

/**
 * Writes a trained classifier as an ONNX file in its form for use, input and output named as the architecture says.
 *
 * @param metadata - text pairs kept in the file
 */
export function writeClassifier(
  architecture: Architecture,
  weights: ParameterSet,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
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
    outputs: new Map([[architecture.outputName, architecture.finish?.(logits) ?? logits]]),
    initializers,
    metadata,
  });
}

/** What a final Softmax over the classes is taken of; the output itself where there is none. */
function scoresBehind(output: Value): Value {
  const { node } = output;
  if (node?.type !== "Softmax") return output;
  const axis = numberAttribute(node.attributes, "axis", -1);
  return axis === -1 || axis === output.shape.length - 1 ? (node.inputs[0] as Value) : output;
}

function copyNode(
  node: GraphNode,
  batch: Value,
  copied: Map<Value, Value>,
  mode: Mode,
  nextBuffers: Map<string, Value>,
): void {
  const inputs = node.inputs.map((input) => {
    if (input === undefined) return undefined;
    const known = copied.get(input);
    if (known !== undefined) return known;
    const constant = batch.graph.constant(input.constant as Tensor, input.name);
    copied.set(input, constant);
    return constant;
  });
  if (mode === "training" && node.type === "BatchNormalization") {
    copied.set(node.outputs[0] as Value, trainedBatchNorm(node, inputs as Value[], nextBuffers));
    return;
  }
  const outputs = batch.graph.emit(node.type, inputs, node.attributes, {
    domain: node.domain,
    outputCount: node.outputs.length,
    name: node.name,
  });
  node.outputs.forEach((output, index) => {
    copied.set(output, outputs[index] as Value);
  });
}

function trainedBatchNorm(node: GraphNode, inputs: readonly Value[], nextBuffers: Map<string, Value>): Value {
  const [x, scale, shift, mean, variance] = inputs as [Value, Value, Value, Value, Value];
  const batch = batchNormalizationOwn(x, scale, shift, numberAttribute(node.attributes, "epsilon", 1e-5));
  // ONNX counts the share that is kept, not the share that is new.
  const momentum = 1 - numberAttribute(node.attributes, "momentum", 0.9);
  nextBuffers.set(mean.name, moveStatistic(mean, batch.mean, momentum));
  nextBuffers.set(variance.name, moveStatistic(variance, batch.unbiasedVariance, momentum));
  return batch.y;
}

function runningStatistics(model: OnnxModel): ReadonlySet<Value> {
  return new Set(
    model.graph.nodes
      .filter((node) => node.type === "BatchNormalization")
      .flatMap((node) => node.inputs.slice(3))
      .filter((value): value is Value => value !== undefined),
  );
}

function floatsOf(tensor: Tensor, id: string): Float32Array | Float64Array {
  if (tensor.dtype === "float32" || tensor.dtype === "float64") return tensor.data;
  throw modelError(id, `float32 weights, got ${tensor.dtype}`);
}

function modelError(id: string, expected: string): LetheError {
  return new LetheError("data", "DATA_MODEL", `Expected a classifier with ${expected}, in ${id}.`, {
    details: { file: id },
  });
}
