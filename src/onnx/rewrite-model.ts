import { clone, create, toBinary } from "@bufbuild/protobuf";
import { LetheError } from "../kernel/errors.ts";
import { encodeFloats, floatFormatOf } from "./float-formats.ts";
import {
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from "./proto/onnx_pb.js";
import { type ExternalData, embedTensor } from "./read-tensor.ts";

/** What is other in a model that is written again. */
export interface ModelChange {
  /** New values of weights by name, row-major in their old shapes, written in their own format. */
  readonly tensors: ReadonlyMap<string, Float32Array>;
  /** Text pairs to add, or to put in the place of those of the same key. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Products the model adds to weights when it runs. */
  readonly products?: readonly AddedProduct[];
}

/** W + scale·left·right in place of a matrix W. */
export interface AddedProduct {
  readonly weight: string;
  readonly left: NamedMatrix;
  readonly right: NamedMatrix;
  readonly scale: number;
}

/** A matrix that becomes an initializer of that name. */
export interface NamedMatrix {
  readonly name: string;
  readonly shape: readonly [number, number];
  readonly data: Float32Array;
}

/** The largest message the file format's readers take. */
const MOST_BYTES = 2 ** 31 - 1;

/**
 * Writes a model's file again with other weights: nodes, names, opset, element types, inputs and outputs stay as they came. A
 * weight that came in a Constant node or behind an Identity node becomes an initializer; external data move into the file.
 *
 * @throws LETHE_NUMERIC_RANGE when a weight's format cannot hold a new value; LETHE_DATA_MODEL_SIZE when the whole is larger than
 *   an ONNX file may be; LETHE_INTERNAL_WEIGHT for a name the file does not have
 */
export function rewriteModel(source: ModelProto, change: ModelChange, external?: ExternalData): Uint8Array {
  const old = source.graph ?? create(GraphProtoSchema);
  const stored = storedTensors(old);
  const tensors = new Map([...old.initializer].map((tensor) => [tensor.name, tensor]));
  for (const [name, values] of change.tensors) {
    const before = stored.get(name);
    if (before === undefined) {
      throw new LetheError("internal", "INTERNAL_WEIGHT", `Expected a weight \`${name}\` in the model.`);
    }
    tensors.set(name, tensorLike(before, name, before.dims, values));
  }
  const products = (change.products ?? []).map((product) => {
    const like = stored.get(product.weight) as TensorProto;
    for (const { name, shape, data } of [product.left, product.right]) {
      tensors.set(name, tensorLike(like, name, shape.map(BigInt), data));
    }
    return addedNodes(product, like);
  });
  const sums = new Map((change.products ?? []).map(({ weight }) => [weight, sumName(weight)]));
  const graph = {
    ...old,
    initializer: [...tensors.values()].map((tensor) => embedTensor(tensor, external)),
    node: [
      ...products.flat(),
      ...old.node
        .filter((node) => !change.tensors.has(node.output[0] ?? ""))
        .map((node) => rewired(node, sums)),
    ],
  };
  const metadata = new Map(source.metadataProps.map((entry) => [entry.key, entry.value]));
  for (const [key, value] of Object.entries(change.metadata ?? {})) metadata.set(key, value);
  const bytes = graph.initializer.reduce((sum, tensor) => sum + tensor.rawData.length, 0);
  if (bytes > MOST_BYTES) {
    throw new LetheError(
      "data",
      "DATA_MODEL_SIZE",
      `Expected weights of at most ${MOST_BYTES} bytes to write into one file, got ${bytes}. Train a part of the model or an adapter.`,
    );
  }
  const { graph: _, metadataProps: __, ...rest } = source;
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      ...fieldsOf(rest),
      graph: create(GraphProtoSchema, fieldsOf(graph)),
      metadataProps: [...metadata].map(([key, value]) => ({ key, value })),
    }),
  );
}

/** A message's own fields: `create` takes an object with a type name for a finished message. */
function fieldsOf<Message extends { readonly $typeName: string }>(
  message: Message,
): Omit<Message, "$typeName"> {
  const { $typeName: _, ...fields } = message;
  return fields;
}

/** Tensors by the names weights are read under. */
function storedTensors(graph: GraphProto): ReadonlyMap<string, TensorProto> {
  const stored = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  for (const { opType, attribute, input, output } of graph.node) {
    const tensor = opType === "Constant" ? attribute[0]?.t : stored.get(input[0] ?? "");
    if ((opType === "Constant" || opType === "Identity") && tensor !== undefined)
      stored.set(output[0] ?? "", tensor);
  }
  return stored;
}

function tensorLike(
  like: TensorProto,
  name: string,
  dims: readonly bigint[],
  values: Float32Array,
): TensorProto {
  const format = floatFormatOf(like.dataType) ?? "float32";
  const { dataType } = like;
  return create(TensorProtoSchema, {
    name,
    dataType,
    dims: [...dims],
    rawData: encodeFloats(format, values),
  });
}

const sumName = (weight: string): string => `${weight}.adapted`;

/** left·right, times the scale in the weight's own type, plus the weight. */
function addedNodes({ weight, left, right, scale }: AddedProduct, like: TensorProto): readonly NodeProto[] {
  const [product, factor, scaled] = [`${weight}.product`, `${weight}.scale`, `${weight}.change`];
  const value = tensorLike(like, factor, [], Float32Array.of(scale));
  return [
    create(NodeProtoSchema, {
      opType: "MatMul",
      name: product,
      input: [left.name, right.name],
      output: [product],
    }),
    create(NodeProtoSchema, {
      opType: "Constant",
      name: factor,
      output: [factor],
      attribute: [{ name: "value", type: AttributeType.TENSOR, t: value }],
    }),
    create(NodeProtoSchema, { opType: "Mul", name: scaled, input: [product, factor], output: [scaled] }),
    create(NodeProtoSchema, {
      opType: "Add",
      name: sumName(weight),
      input: [weight, scaled],
      output: [sumName(weight)],
    }),
  ];
}

/** A node that reads the sums where it read weights, in the graphs it holds too. */
function rewired(node: NodeProto, sums: ReadonlyMap<string, string>): NodeProto {
  if (sums.size === 0) return node;
  const copy = clone(NodeProtoSchema, node);
  copy.input = copy.input.map((name) => sums.get(name) ?? name);
  for (const attribute of copy.attribute) {
    if (attribute.g !== undefined) attribute.g.node = attribute.g.node.map((inner) => rewired(inner, sums));
  }
  return copy;
}
