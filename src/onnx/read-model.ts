import { fromBinary } from "@bufbuild/protobuf";
import { isLetheError } from "../kernel/errors.ts";
import { inlineControlFlow, isControlFlow, withNested } from "./control-flow.ts";
import { findWeights } from "./find-weights.ts";
import { lowerForeignNode } from "./foreign-operators.ts";
import { Graph } from "./graph.ts";
import { inlineFunctions, type PlacedNode } from "./inline-functions.ts";
import type { OperatorTable, Value, ValueType } from "./ir.ts";
import { onnxError } from "./onnx-error.ts";
import { isStandard } from "./operator.ts";
import { type GraphProto, type ModelProto, ModelProtoSchema, type NodeProto } from "./proto/onnx_pb.js";
import { constantTensor, readAttribute } from "./read-attribute.ts";
import { type ExternalData, readTensor } from "./read-tensor.ts";
import { declaredType, typeOf } from "./read-value-type.ts";
import type { Dim, Shape } from "./shape.ts";
import { storedTensors } from "./stored-tensors.ts";
import type { Tensor } from "./tensor.ts";
import { upgradeNode } from "./upgrade.ts";

/** The opsets whose operators mean the same as in the one Lethe writes, or can be rewritten in it. */
export const OLDEST_OPSET = 13;
export const NEWEST_OPSET = 26;

/** A model read from an ONNX file, as a typed graph. */
export interface OnnxModel {
  readonly graph: Graph;
  readonly name: string;
  /** The inputs that carry data. */
  readonly inputs: readonly Value[];
  readonly outputs: ReadonlyMap<string, Value>;
  /** What `findWeights` finds. In the graph they are inputs, so that they can be trained. */
  readonly weights: ReadonlyMap<Value, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** How a model is read. */
export interface ReadOptions {
  /** Opens the files its weights are in; without it they have to be inside the model's. */
  readonly external?: ExternalData;
  /** Values to take as outputs instead of the file's; what they do not need is not read. */
  readonly outputs?: readonly string[];
  /** Shapes to read inputs with instead of the file's, in the file's order. */
  readonly inputShape?: (name: string, shape: Shape) => Shape;
  /** Read normalisations that were exported in training mode as they are used. */
  readonly isInference?: boolean;
}

/**
 * Reads an ONNX file (opset 13 to 26) into a typed graph: functions inlined, shapes inferred, weights apart from data. Real
 * numbers of every format become float32, which Lethe computes in.
 *
 * @param operators - the operators that may occur; a node of another one is kept, without a gradient, where the file declares
 *   the types of its outputs
 * @throws LETHE_DATA_ONNX when the bytes are not an ONNX model or contradict themselves; LETHE_DATA_OPERATOR for an operator
 *   that is not in the table; LETHE_DATA_SHAPE, LETHE_DATA_ATTRIBUTE or LETHE_DATA_DTYPE when a node does not fit its
 *   inputs, naming the node; LETHE_DATA_DUPLICATE_NAME when two values have one name; LETHE_DATA_EXTERNAL
 */
export function readModel(bytes: Uint8Array, operators: OperatorTable, options: ReadOptions = {}): OnnxModel {
  return buildModel(parseModel(bytes), operators, options);
}

/**
 * The fields of an ONNX file.
 *
 * @throws LETHE_DATA_ONNX when the bytes are not an ONNX model
 */
export function parseModel(bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw onnxError(`an ONNX file, got ${bytes.length} bytes that are not one (or are cut short)`, cause);
  }
}

/** As {@link readModel}, from a file's fields. */
export function buildModel(
  proto: ModelProto,
  operators: OperatorTable,
  options: ReadOptions = {},
): OnnxModel {
  const opset = Number(proto.opsetImport.find(isStandard)?.version ?? 0);
  if (proto.graph === undefined) throw onnxError("a model with a graph, got none");
  try {
    const nodes = inlineFunctions(proto, opset);
    for (const version of new Set([opset, ...nodes.map((placed) => placed.opset)])) requireKnown(version);
    return build(proto, proto.graph, nodes, operators, options);
  } catch (error) {
    if (isLetheError(error)) throw error;
    throw onnxError("a model that is consistent with itself", error);
  }
}

function requireKnown(opset: number): void {
  if (opset >= OLDEST_OPSET && opset <= NEWEST_OPSET) return;
  throw onnxError(
    `an opset from ${OLDEST_OPSET} to ${NEWEST_OPSET}, got ${opset}; export the model again with one of these`,
  );
}

function build(
  proto: ModelProto,
  source: GraphProto,
  all: readonly PlacedNode[],
  operators: OperatorTable,
  options: ReadOptions,
): OnnxModel {
  const graph = new Graph(operators);
  const wanted = options.outputs ?? source.output.map(({ name }) => name);
  const nodes = options.outputs === undefined ? all : neededNodes(all, wanted);
  graph.reserveNames(nodes.flatMap(({ node }) => node.output));
  const values = new Map<string, Value>();
  const weights = new Map<Value, Tensor>();
  const tensors = storedTensors(source, nodes, options.external);
  const found = findWeights(
    nodes.flatMap((placed) => withNested(placed.node).map((node) => ({ ...placed, node }))),
    tensors,
    operators,
  );
  const addWeight = (name: string, tensor: Tensor): void => {
    const value = graph.input(name, tensor.dtype, tensor.shape);
    weights.set(value, tensor);
    values.set(name, value);
  };
  for (const [name, tensor] of tensors) {
    if (found.weights.has(name)) addWeight(name, tensor);
    else values.set(name, graph.constant(tensor, "constant", name));
  }
  for (const [copy, name] of found.copies) {
    if (found.weights.has(copy)) addWeight(copy, tensors.get(name) as Tensor);
  }
  // Older files list initializers among the inputs too.
  const renamed = new Map<Dim, Dim>();
  const inputs = source.input
    .filter((input) => !values.has(input.name))
    .map((input) => {
      const { dtype, shape } = typeOf(input);
      const read = options.inputShape?.(input.name, shape) ?? shape;
      shape.forEach((dim, axis) => {
        if (typeof dim === "string") renamed.set(dim, read[axis] ?? dim);
      });
      return graph.input(input.name, dtype, read);
    });
  for (const input of inputs) values.set(input.name, input);
  const declared = new Map(
    [...source.valueInfo, ...source.output].map((info) => [info.name, declaredType(info, renamed)]),
  );
  for (const placed of nodes) {
    const node = options.isInference ? inferenceForm(placed.node) : placed.node;
    readNode(graph, { ...placed, node }, values, declared);
  }
  const outputs = new Map(wanted.map((name) => [name, lookup(values, name, "the model's output list")]));
  if (outputs.size === 0 || outputs.size < wanted.length) {
    throw onnxError("a model with an output, and outputs of distinct names");
  }
  const metadata = Object.fromEntries(proto.metadataProps.map(({ key, value }) => [key, value]));
  return { graph, name: source.name, inputs, outputs, weights, metadata };
}

/** A normalisation without the outputs and the setting that make it one in training. */
function inferenceForm(node: NodeProto): NodeProto {
  if (!isStandard(node) || node.opType !== "BatchNormalization") return node;
  const attribute = node.attribute.filter(({ name }) => name !== "training_mode");
  return { ...node, output: node.output.slice(0, 1), attribute };
}

/** The nodes that values depend on, in the file's order. */
function neededNodes(nodes: readonly PlacedNode[], wanted: readonly string[]): readonly PlacedNode[] {
  const needed = new Set(wanted);
  const kept = nodes.toReversed().filter(({ node }) => {
    if (!node.output.some((name) => name !== "" && needed.has(name))) return false;
    for (const name of withNested(node).flatMap(({ input }) => input)) needed.add(name);
    return true;
  });
  return kept.toReversed();
}

/** Where a node stands: in the model's graph, in a branch, or in the body of a loop. */
type Nesting = "graph" | "branch" | "loop";

function readNode(
  graph: Graph,
  placed: PlacedNode,
  values: Map<string, Value>,
  declared: ReadonlyMap<string, ValueType | undefined>,
  nesting: Nesting = "graph",
): void {
  const { node, opset, domains } = placed;
  // A body may be read several times: what it makes gets new names.
  const names = nesting === "graph" ? node.output : undefined;
  const place = node.name || node.output[0] || node.opType;
  const [first = ""] = node.output;
  // A stored tensor that was read as a weight or a constant; Identity nodes only give names.
  if (isStandard(node) && (node.opType === "Constant" || node.opType === "Identity") && values.has(first))
    return;
  const inputs = node.input.map((name) =>
    name === "" ? undefined : lookup(values, name, `node \`${place}\``),
  );
  if (isStandard(node) && node.opType === "Identity" && inputs[0] !== undefined) {
    values.set(first, inputs[0]);
    return;
  }
  if (isStandard(node) && isControlFlow(node)) {
    const readBody = (body: GraphProto, given: readonly Value[], isInLoop: boolean) =>
      readNested(graph, body, given, placed, values, isInLoop ? "loop" : "branch");
    const isInLoop = nesting === "loop";
    nameOutputs(node, inlineControlFlow({ graph, node, inputs, isInLoop, readBody }), values);
    return;
  }
  const attributes = Object.fromEntries(
    node.attribute.map((attribute) => [attribute.name, readAttribute(attribute, place)]),
  );
  const outputCount = Math.max(1, node.output.length);
  if (isStandard(node) && node.opType === "Constant") {
    values.set(first, graph.constant(constantTensor(attributes, place), "constant", names?.[0]));
    return;
  }
  const parts = { type: node.opType, inputs, attributes, outputCount };
  const upgraded = isStandard(node) ? upgradeNode(graph, parts, opset) : lowerForeignNode(node.domain, parts);
  const outputs =
    "type" in upgraded
      ? graph.emit(upgraded.type, upgraded.inputs, upgraded.attributes, {
          domain: isStandard(node) ? "" : node.domain,
          outputCount,
          name: node.name,
          ...(names === undefined ? {} : { outputNames: names }),
          declared: node.output.map((name) => declared.get(name)),
          version: isStandard(node) ? opset : (domains.get(node.domain) ?? 1),
        })
      : upgraded;
  nameOutputs(node, outputs, values);
}

function nameOutputs(node: NodeProto, outputs: readonly Value[], values: Map<string, Value>): void {
  node.output.forEach((name, index) => {
    const value = outputs[index];
    if (name !== "" && value !== undefined) values.set(name, value);
  });
}

/** The outputs of a branch or of one trip of a loop, whose nodes see the values around them too. */
function readNested(
  graph: Graph,
  body: GraphProto,
  given: readonly Value[],
  around: PlacedNode,
  outer: ReadonlyMap<string, Value>,
  nesting: Nesting,
): readonly Value[] {
  const values = new Map(outer);
  for (const tensor of body.initializer) values.set(tensor.name, graph.constant(readTensor(tensor)));
  body.input.forEach(({ name }, index) => {
    const value = given[index];
    if (value !== undefined) values.set(name, value);
  });
  for (const node of body.node) readNode(graph, { ...around, node }, values, new Map(), nesting);
  return body.output.map(({ name }) => lookup(values, name, `the outputs of \`${body.name}\``));
}

function lookup(values: ReadonlyMap<string, Value>, name: string, place: string): Value {
  const value = values.get(name);
  if (value === undefined) {
    throw onnxError(
      `${place} to read a value that was made before it, got \`${name}\` (nodes have to be in order of evaluation)`,
    );
  }
  return value;
}
