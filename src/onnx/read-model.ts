import { fromBinary } from "@bufbuild/protobuf";
import { isLetheError, LetheError } from "../kernel/errors.ts";
import type { Attribute, Attributes } from "./attributes.ts";
import { inlineControlFlow, isControlFlow, withNested } from "./control-flow.ts";
import { Graph } from "./graph.ts";
import type { OperatorTable, Value } from "./ir.ts";
import { operatorKey } from "./operator.ts";
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type TensorProto,
  TensorProto_DataLocation,
  type ValueInfoProto,
} from "./proto/onnx_pb.js";
import type { Dim, Shape } from "./shape.ts";
import {
  type DType,
  dtypeOfTypeNumber,
  isFloating,
  type Tensor,
  tensorFromBytes,
  tensorOfNumbers,
} from "./tensor.ts";
import { upgradeNode } from "./upgrade.ts";

/** The opsets whose operators mean the same as in the one Lethe writes, or can be rewritten in it. */
export const OLDEST_OPSET = 13;
export const NEWEST_OPSET = 23;

/** A model read from an ONNX file, as a typed graph. */
export interface OnnxModel {
  readonly graph: Graph;
  readonly name: string;
  /** The inputs that carry data. */
  readonly inputs: readonly Value[];
  readonly outputs: ReadonlyMap<string, Value>;
  /**
   * Floating initializers of rank ≥ 1 that operators compute with (not those that only say how, as the scales of a Resize).
   * In the graph they are inputs, so that they can be trained.
   */
  readonly weights: ReadonlyMap<Value, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads an ONNX file (opset 13 to 23) into a typed graph: shapes inferred, weights apart from data.
 *
 * @param operators - the operators that may occur
 * @throws LETHE_DATA_ONNX when the bytes are not an ONNX model or contradict themselves; LETHE_DATA_OPERATOR for an operator
 *   that is not in the table; LETHE_DATA_SHAPE, LETHE_DATA_ATTRIBUTE or LETHE_DATA_DTYPE when a node does not fit its
 *   inputs, naming the node; LETHE_DATA_DUPLICATE_NAME when two values have one name
 */
export function readModel(bytes: Uint8Array, operators: OperatorTable): OnnxModel {
  const proto = parse(bytes);
  const opset = Number(
    proto.opsetImport.find((entry) => entry.domain === "" || entry.domain === "ai.onnx")?.version ?? 0,
  );
  if (opset < OLDEST_OPSET || opset > NEWEST_OPSET) {
    throw onnxError(
      `an opset from ${OLDEST_OPSET} to ${NEWEST_OPSET}, got ${opset}; export the model again with one of these`,
    );
  }
  if (proto.graph === undefined) throw onnxError("a model with a graph, got none");
  try {
    return build(proto, proto.graph, opset, operators);
  } catch (error) {
    if (isLetheError(error)) throw error;
    throw onnxError("a model that is consistent with itself", error);
  }
}

function parse(bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw onnxError(`an ONNX file, got ${bytes.length} bytes that are not one (or are cut short)`, cause);
  }
}

function build(proto: ModelProto, source: GraphProto, opset: number, operators: OperatorTable): OnnxModel {
  const graph = new Graph(operators);
  graph.reserveNames(source.node.flatMap((node) => node.output));
  const values = new Map<string, Value>();
  const weights = new Map<Value, Tensor>();
  const settings = settingNames(source, operators);
  for (const initializer of source.initializer) {
    const { name } = initializer;
    const tensor = readTensor(initializer);
    if (values.has(name)) throw onnxError(`distinct names of initializers, got \`${name}\` twice`);
    if (isFloating(tensor.dtype) && tensor.shape.length > 0 && !settings.has(name)) {
      const value = graph.input(name, tensor.dtype, tensor.shape);
      weights.set(value, tensor);
      values.set(name, value);
    } else values.set(name, graph.constant(tensor, "constant", name));
  }
  // Older files list initializers among the inputs too.
  const inputs = source.input
    .filter((input) => !values.has(input.name))
    .map((input) => {
      const { dtype, shape } = typeOf(input);
      return graph.input(input.name, dtype, shape);
    });
  for (const input of inputs) values.set(input.name, input);
  for (const node of source.node) readNode(graph, node, opset, values);
  const outputs = new Map(
    source.output.map((output) => [output.name, lookup(values, output.name, "the model's output list")]),
  );
  if (outputs.size === 0 || outputs.size < source.output.length) {
    throw onnxError("a model with an output, and outputs of distinct names");
  }
  const metadata = Object.fromEntries(proto.metadataProps.map(({ key, value }) => [key, value]));
  return { graph, name: source.name, inputs, outputs, weights, metadata };
}

/** Names of values that only say how operators compute: every use is as a constant input. */
function settingNames(source: GraphProto, operators: OperatorTable): ReadonlySet<string> {
  const settings = new Set<string>();
  const others = new Set<string>();
  for (const { opType, domain, input } of source.node.flatMap(withNested)) {
    const constantInputs = operators.get(operatorKey(opType, domain))?.constantInputs ?? [];
    input.forEach((name, index) => {
      (constantInputs.includes(index) ? settings : others).add(name);
    });
  }
  return new Set([...settings].filter((name) => !others.has(name)));
}

/** Where a node stands: in the model's graph, in a branch, or in the body of a loop. */
type Nesting = "graph" | "branch" | "loop";

function readNode(
  graph: Graph,
  node: NodeProto,
  opset: number,
  values: Map<string, Value>,
  nesting: Nesting = "graph",
): void {
  // A body may be read several times: what it makes gets new names.
  const names = nesting === "graph" ? node.output : undefined;
  const place = node.name || node.output[0] || node.opType;
  const inputs = node.input.map((name) =>
    name === "" ? undefined : lookup(values, name, `node \`${place}\``),
  );
  if (isStandard(node) && isControlFlow(node)) {
    const readBody = (body: GraphProto, given: readonly Value[], isInLoop: boolean) =>
      readNested(graph, body, given, opset, values, isInLoop ? "loop" : "branch");
    nameOutputs(
      node,
      inlineControlFlow({ graph, node, inputs, isInLoop: nesting === "loop", readBody }),
      values,
    );
    return;
  }
  const attributes = Object.fromEntries(
    node.attribute.map((attribute) => [attribute.name, readAttribute(attribute, place)]),
  );
  const outputCount = Math.max(1, node.output.length);
  if (isStandard(node) && node.opType === "Constant") {
    values.set(
      node.output[0] ?? "",
      graph.constant(constantTensor(attributes, place), "constant", names?.[0]),
    );
    return;
  }
  const parts = { type: node.opType, inputs, attributes, outputCount };
  const upgraded = isStandard(node) ? upgradeNode(graph, parts, opset) : parts;
  const outputs =
    "type" in upgraded
      ? graph.emit(upgraded.type, upgraded.inputs, upgraded.attributes, {
          domain: isStandard(node) ? "" : node.domain,
          outputCount,
          name: node.name,
          ...(names === undefined ? {} : { outputNames: names }),
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
  opset: number,
  outer: ReadonlyMap<string, Value>,
  nesting: Nesting,
): readonly Value[] {
  const values = new Map(outer);
  for (const tensor of body.initializer) values.set(tensor.name, graph.constant(readTensor(tensor)));
  body.input.forEach(({ name }, index) => {
    const value = given[index];
    if (value !== undefined) values.set(name, value);
  });
  for (const node of body.node) readNode(graph, node, opset, values, nesting);
  return body.output.map(({ name }) => lookup(values, name, `the outputs of \`${body.name}\``));
}

function isStandard(node: NodeProto): boolean {
  return node.domain === "" || node.domain === "ai.onnx";
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

function constantTensor(attributes: Attributes, place: string): Tensor {
  const [entry] = Object.values(attributes);
  if (entry?.type === "tensor") return entry.value;
  if (entry?.type === "int") return tensorOfNumbers("int64", [], [entry.value]);
  if (entry?.type === "float") return tensorOfNumbers("float32", [], [entry.value]);
  if (entry?.type === "ints") return tensorOfNumbers("int64", [entry.value.length], entry.value);
  if (entry?.type === "floats") return tensorOfNumbers("float32", [entry.value.length], entry.value);
  throw onnxError(`Constant node \`${place}\` to hold numbers`);
}

function readAttribute(attribute: AttributeProto, place: string): Attribute {
  switch (attribute.type) {
    case AttributeType.INT:
      return { type: "int", value: Number(attribute.i) };
    case AttributeType.FLOAT:
      return { type: "float", value: attribute.f };
    case AttributeType.STRING:
      return { type: "string", value: new TextDecoder().decode(attribute.s) };
    case AttributeType.INTS:
      return { type: "ints", value: attribute.ints.map(Number) };
    case AttributeType.FLOATS:
      return { type: "floats", value: attribute.floats };
    case AttributeType.STRINGS:
      return { type: "strings", value: attribute.strings.map((word) => new TextDecoder().decode(word)) };
    case AttributeType.TENSOR:
      if (attribute.t !== undefined) return { type: "tensor", value: readTensor(attribute.t) };
      break;
    default:
  }
  throw onnxError(
    `attribute \`${attribute.name}\` of node \`${place}\` to be a number, text or tensor, got type ${attribute.type}`,
  );
}

function readTensor(proto: TensorProto): Tensor {
  if (proto.dataLocation === TensorProto_DataLocation.EXTERNAL) {
    throw onnxError(
      `weights inside the file, got \`${proto.name}\` in external data; save the model as one file`,
    );
  }
  const dtype = dtypeOfTypeNumber(proto.dataType);
  const shape = proto.dims.map(Number);
  if (shape.some((dim) => !Number.isSafeInteger(dim) || dim < 0))
    throw onnxError(`sizes ≥ 0 in tensor \`${proto.name}\``);
  if (proto.rawData.length > 0) return tensorFromBytes(dtype, shape, proto.rawData);
  const numbers = fieldOf(proto, dtype);
  const count = shape.reduce((product, dim) => product * dim, 1);
  if (numbers.length !== count) {
    throw onnxError(`${count} elements in tensor \`${proto.name}\`, got ${numbers.length}`);
  }
  return tensorOfNumbers(dtype, shape, numbers);
}

/** The typed fields older writers use in place of raw bytes. */
function fieldOf(proto: TensorProto, dtype: DType): readonly number[] {
  if (dtype === "float32") return proto.floatData;
  if (dtype === "float64") return proto.doubleData;
  if (dtype === "int64") return proto.int64Data.map(Number);
  return proto.int32Data;
}

function typeOf(info: ValueInfoProto): { dtype: DType; shape: Shape } {
  const type = info.type?.value;
  if (type?.case !== "tensorType") throw onnxError(`input \`${info.name}\` to be a tensor`);
  const shape = (type.value.shape?.dim ?? []).map(({ value }, axis): Dim => {
    if (value.case === "dimValue" && value.value > 0n) return Number(value.value);
    if (value.case === "dimParam" && value.value !== "") return value.value;
    return axis === 0 ? "batch" : `${info.name}_${axis}`;
  });
  return { dtype: dtypeOfTypeNumber(type.value.elemType), shape };
}

function onnxError(expected: string, cause?: unknown): LetheError {
  return new LetheError("data", "DATA_ONNX", `Expected ${expected}.`, { cause });
}
