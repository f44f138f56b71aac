import { create, toBinary } from "@bufbuild/protobuf";
import { LetheError } from "../kernel/errors.ts";
import type { Attribute } from "./attributes.ts";
import type { GraphNode, Value } from "./ir.ts";
import { nodesBehind } from "./nodes-behind.ts";
import { OWN_DOMAIN } from "./operator.ts";
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "./proto/onnx_pb.js";
import { bytesOf, type Tensor, typeNumberOf } from "./tensor.ts";

/** The opset Lethe's graphs are written in: the first in which every reduction takes its axes as an input. */
export const OPSET = 18;
/** The file format version that goes with it. */
const IR_VERSION = 8;

/** What to write of a graph. */
export interface ModelContents {
  readonly name?: string;
  /** Graph inputs in order. An input that is in `initializers` is written as an initializer instead. */
  readonly inputs: readonly Value[];
  /** Outputs by the name they get in the file. */
  readonly outputs: ReadonlyMap<string, Value>;
  /** Weights: the tensors that inputs are given for good. */
  readonly initializers?: ReadonlyMap<Value, Tensor>;
  /** Free text pairs kept in the file (`metadata_props`). */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes the part of a graph that the outputs need, as an ONNX file.
 *
 * @throws LETHE_USAGE_MISSING_INPUT when an output needs an input that is neither listed nor initialised;
 *   LETHE_USAGE_DUPLICATE_NAME when an output is to have the name of another value
 */
export function writeModel(contents: ModelContents): Uint8Array {
  return toBinary(ModelProtoSchema, modelProtoOf(contents));
}

function modelProtoOf(contents: ModelContents): ModelProto {
  const initializers = contents.initializers ?? new Map<Value, Tensor>();
  const { nodes, leaves } = reachable([...contents.outputs.values()]);
  const declared = new Set([...contents.inputs, ...initializers.keys()]);
  for (const leaf of leaves) {
    if (leaf.constant === undefined && !declared.has(leaf)) {
      throw new LetheError(
        "usage",
        "USAGE_MISSING_INPUT",
        `Expected \`${leaf.name}\` among the inputs of the model.`,
      );
    }
  }
  const inputs = contents.inputs.filter((input) => !initializers.has(input));
  const names = outputNames(contents.outputs);
  const nameOf = (value: Value): string => names.get(value) ?? value.name;
  const values = new Set([...declared, ...leaves, ...nodes.flatMap((node) => node.outputs)]);
  requireDistinctNames([...[...values].map((value) => [nameOf(value), value] as const), ...contents.outputs]);
  return create(ModelProtoSchema, {
    irVersion: BigInt(IR_VERSION),
    producerName: "lethe",
    opsetImport: domainVersions(nodes),
    metadataProps: Object.entries(contents.metadata ?? {}).map(([key, value]) => ({ key, value })),
    graph: {
      name: contents.name ?? "lethe",
      node: [...nodeProtos(nodes, nameOf), ...outputAliases(contents.outputs, nameOf)],
      initializer: [...tensorsOf(leaves), ...initializers]
        .sort(([a], [b]) => a.id - b.id)
        .map(([value, tensor]) => tensorProto(tensor, value.name)),
      input: inputs.map((value) => valueInfo(value, value.name)),
      output: [...contents.outputs].map(([name, value]) => valueInfo(value, name)),
    },
  });
}

/** The nodes the outputs need, in an order of evaluation, and the inputs and constants they start from. */
function reachable(outputs: readonly Value[]): { nodes: GraphNode[]; leaves: Value[] } {
  const nodes = nodesBehind(outputs);
  const inputs = [...nodes].flatMap((node) => node.inputs.filter((input) => input !== undefined));
  const leaves = new Set([...outputs, ...inputs].filter((value) => value.node === undefined));
  const firstId = (node: GraphNode): number => (node.outputs[0] as Value).id;
  return {
    nodes: [...nodes].sort((a, b) => firstId(a) - firstId(b)),
    leaves: [...leaves].sort((a, b) => a.id - b.id),
  };
}

/** Lethe's own nodes mean the same in later opsets; one it does not know may need the version it came in. */
function domainVersions(
  nodes: readonly GraphNode[],
): { readonly domain: string; readonly version: bigint }[] {
  const versions = new Map([["", OPSET]]);
  for (const { domain, version = 1 } of nodes) {
    if (domain !== OWN_DOMAIN) versions.set(domain, Math.max(versions.get(domain) ?? 1, version));
  }
  return [...versions].map(([domain, version]) => ({ domain, version: BigInt(version) }));
}

function tensorsOf(leaves: readonly Value[]): [Value, Tensor][] {
  return leaves.flatMap((leaf) => (leaf.constant === undefined ? [] : [[leaf, leaf.constant]]));
}

/** A name given to an output must not be that of another value in the file. */
function requireDistinctNames(named: readonly (readonly [string, Value])[]): void {
  const owners = new Map<string, Value>();
  for (const [name, value] of named) {
    if ((owners.get(name) ?? value) !== value) {
      throw new LetheError(
        "usage",
        "USAGE_DUPLICATE_NAME",
        `Expected an output name that no other value has, got \`${name}\`. Give the output another name.`,
      );
    }
    owners.set(name, value);
  }
}

/** Values that a node computes take the (first) name of the output they are. */
function outputNames(outputs: ReadonlyMap<string, Value>): ReadonlyMap<Value, string> {
  const names = new Map<Value, string>();
  for (const [name, value] of outputs)
    if (value.node !== undefined && !names.has(value)) names.set(value, name);
  return names;
}

/** Outputs that are inputs, constants or other outputs get their own name by an Identity. */
function outputAliases(outputs: ReadonlyMap<string, Value>, nameOf: (value: Value) => string): NodeProto[] {
  return [...outputs]
    .filter(([name, value]) => name !== nameOf(value))
    .map(([name, value]) =>
      create(NodeProtoSchema, { opType: "Identity", input: [nameOf(value)], output: [name] }),
    );
}

/** Nodes keep their names as far as these are distinct, which the format demands. */
function nodeProtos(nodes: readonly GraphNode[], nameOf: (value: Value) => string): NodeProto[] {
  const used = new Set<string>();
  return nodes.map((node) => {
    const name = used.has(node.name) ? "" : node.name;
    used.add(name);
    return create(NodeProtoSchema, {
      opType: node.domain === OWN_DOMAIN ? "Identity" : node.type,
      ...(node.domain === "" || node.domain === OWN_DOMAIN ? {} : { domain: node.domain }),
      ...(name === "" ? {} : { name }),
      // Nothing is written for inputs left out at the end: the engine's fusions stumble over empty names there.
      input: node.inputs
        .slice(0, node.inputs.findLastIndex((input) => input !== undefined) + 1)
        .map((input) => (input === undefined ? "" : nameOf(input))),
      output: node.outputs.map(nameOf),
      attribute: Object.entries(node.attributes).map(([key, attribute]) => attributeProto(key, attribute)),
    });
  });
}

function attributeProto(name: string, attribute: Attribute): AttributeProto {
  switch (attribute.type) {
    case "int":
      return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(attribute.value) });
    case "float":
      return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: attribute.value });
    case "string":
      return create(AttributeProtoSchema, {
        name,
        type: AttributeType.STRING,
        s: new TextEncoder().encode(attribute.value),
      });
    case "ints":
      return create(AttributeProtoSchema, {
        name,
        type: AttributeType.INTS,
        ints: attribute.value.map(BigInt),
      });
    case "floats":
      return create(AttributeProtoSchema, { name, type: AttributeType.FLOATS, floats: [...attribute.value] });
    case "strings":
      return create(AttributeProtoSchema, {
        name,
        type: AttributeType.STRINGS,
        strings: attribute.value.map((word) => new TextEncoder().encode(word)),
      });
    case "tensor":
      return create(AttributeProtoSchema, {
        name,
        type: AttributeType.TENSOR,
        t: tensorProto(attribute.value, ""),
      });
    default:
      return attribute satisfies never;
  }
}

function tensorProto(tensor: Tensor, name: string): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dataType: typeNumberOf(tensor.dtype),
    dims: tensor.shape.map(BigInt),
    rawData: bytesOf(tensor),
  });
}

function valueInfo(value: Value, name: string): ValueInfoProto {
  return create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: "tensorType",
        value: {
          elemType: typeNumberOf(value.dtype),
          shape: {
            dim: value.shape.map((dim) => ({
              value:
                typeof dim === "number"
                  ? ({ case: "dimValue", value: BigInt(dim) } as const)
                  : ({ case: "dimParam", value: dim } as const),
            })),
          },
        },
      },
    },
  });
}
