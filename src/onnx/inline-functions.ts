import { clone, create } from "@bufbuild/protobuf";
import { onnxError } from "./onnx-error.ts";
import { isStandard } from "./operator.ts";
import {
  type AttributeProto,
  AttributeProtoSchema,
  type FunctionProto,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  type NodeProto,
  NodeProtoSchema,
} from "./proto/onnx_pb.js";

/** A node and the version of the standard operators it is written in. */
export interface PlacedNode {
  readonly node: NodeProto;
  readonly opset: number;
  /** The versions of other domains. */
  readonly domains: ReadonlyMap<string, number>;
  /** Whether it is from a function, so that the file has no name for what it gives. */
  readonly isInlined: boolean;
}

/** No model has more nodes; without a bound functions that call others twice would grow to 2ⁿ. */
const MOST_NODES = 200_000;

/**
 * The nodes of a model with the functions it defines itself put in the place of their calls: inputs and outputs take the
 * caller's names, values in between get names of their own, attributes the caller's settings or the function's defaults.
 *
 * @param opset - the version of the standard operators outside of functions
 * @throws LETHE_DATA_ONNX for functions that call themselves, or too many
 */
export function inlineFunctions(model: ModelProto, opset: number): readonly PlacedNode[] {
  const functions = new Map(model.functions.map((body) => [keyOf(body, body.name), body]));
  const placed: PlacedNode[] = [];
  const domains = new Map(
    [...model.functions.flatMap(({ opsetImport }) => opsetImport), ...model.opsetImport].map(
      ({ domain, version }) => [domain, Number(version)] as const,
    ),
  );
  let calls = 0;
  const place = (nodes: readonly NodeProto[], version: number, open: readonly FunctionProto[]): void => {
    for (const node of nodes) {
      const body = functions.get(keyOf(node, node.opType));
      if (body === undefined) placed.push({ node, opset: version, domains, isInlined: open.length > 0 });
      else {
        if (open.includes(body))
          throw onnxError(`functions that do not call themselves, got \`${body.name}\``);
        place(bodyOf(body, node, `${node.name || body.name}/${calls++}/`), opsetOf(body, version), [
          ...open,
          body,
        ]);
      }
      if (placed.length + calls > MOST_NODES) throw onnxError(`at most ${MOST_NODES} nodes in all functions`);
    }
  };
  place(model.graph?.node ?? [], opset, []);
  return placed;
}

function keyOf(
  { domain, overload }: { readonly domain: string; readonly overload: string },
  name: string,
): string {
  return `${domain}:${name}:${overload}`;
}

function opsetOf(body: FunctionProto, fallback: number): number {
  const entry = body.opsetImport.find(isStandard);
  return entry === undefined ? fallback : Number(entry.version);
}

/** A function's nodes as one call has them. */
function bodyOf(body: FunctionProto, call: NodeProto, prefix: string): readonly NodeProto[] {
  const names = new Map<string, string>([["", ""]]);
  body.input.forEach((name, index) => {
    names.set(name, call.input[index] ?? "");
  });
  body.output.forEach((name, index) => {
    const given = call.output[index];
    if (given) names.set(name, given);
  });
  const settings = new Map(
    [...body.attributeProto, ...call.attribute].map((attribute) => [attribute.name, attribute]),
  );
  return body.node.map((node) =>
    renamedNode(node, (name) => names.get(name) ?? prefix + name, settings, prefix),
  );
}

function renamedNode(
  source: NodeProto,
  rename: (name: string) => string,
  settings: ReadonlyMap<string, AttributeProto>,
  prefix: string,
): NodeProto {
  return create(NodeProtoSchema, {
    name: prefix + (source.name || source.opType),
    opType: source.opType,
    domain: source.domain,
    overload: source.overload,
    input: source.input.map(rename),
    output: source.output.map(rename),
    attribute: source.attribute.flatMap((attribute) => {
      if (attribute.refAttrName !== "") {
        const given = settings.get(attribute.refAttrName);
        if (given === undefined) return [];
        const copy = clone(AttributeProtoSchema, given);
        copy.name = attribute.name;
        return [copy];
      }
      if (attribute.g === undefined) return [attribute];
      const copy = clone(AttributeProtoSchema, attribute);
      copy.g = renamedGraph(attribute.g, rename, settings, prefix);
      return [copy];
    }),
  });
}

/** A branch or loop body, which reads values around it by their names. */
function renamedGraph(
  source: GraphProto,
  rename: (name: string) => string,
  settings: ReadonlyMap<string, AttributeProto>,
  prefix: string,
): GraphProto {
  const copy = clone(GraphProtoSchema, source);
  for (const value of [...copy.input, ...copy.output, ...copy.initializer]) value.name = rename(value.name);
  copy.node = source.node.map((node) => renamedNode(node, rename, settings, prefix));
  return copy;
}
