import type { Attributes } from "./attributes.ts";
import type { Graph, Value } from "./graph.ts";

/** A node's operator, inputs and attributes, before it is part of a graph. */
export interface NodeParts {
  readonly type: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes: Attributes;
}

/** Reductions whose axes became an input in opset 18 (`ReduceSum` already in 13). */
const AXES_BECAME_INPUT = new Set([
  "ReduceMean",
  "ReduceMax",
  "ReduceMin",
  "ReduceProd",
  "ReduceL1",
  "ReduceL2",
]);

/** Rewrites a node of an older opset (13 to 17) in the form of the opset Lethe writes. */
export function upgradeNode(graph: Graph, node: NodeParts, opset: number): NodeParts {
  if (opset < 18 && AXES_BECAME_INPUT.has(node.type)) {
    const { axes, ...attributes } = node.attributes;
    if (axes?.type !== "ints") return { ...node, attributes };
    return { type: node.type, inputs: [node.inputs[0], graph.integers(axes.value)], attributes };
  }
  return node;
}
