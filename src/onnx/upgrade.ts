import { type Attributes, int } from "./attributes.ts";
import type { Graph } from "./graph.ts";
import type { Value } from "./ir.ts";

/** A node before it is part of a graph. */
export interface NodeParts {
  readonly type: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes: Attributes;
  readonly outputCount: number;
}

/** Reductions whose axes became an input in opset 18 (`ReduceSum` already in 13). */
const AXES_BECAME_INPUT = new Set([
  "ReduceL1",
  "ReduceL2",
  "ReduceLogSum",
  "ReduceLogSumExp",
  "ReduceMax",
  "ReduceMean",
  "ReduceMin",
  "ReduceProd",
  "ReduceSumSquare",
]);

/** Attributes newer than that opset which say nothing about the types Lethe computes with: how to round to 8-bit floats. */
const DROPPED: Readonly<Record<string, readonly string[]>> = { Cast: ["saturate", "round_mode"] };

/**
 * Rewrites a node of opset 13 or newer in the form of the opset Lethe writes.
 *
 * @returns the node itself where the form is the same
 */
export function upgradeNode(graph: Graph, node: NodeParts, opset: number): NodeParts {
  if (opset < 18 && AXES_BECAME_INPUT.has(node.type)) return axesAsInput(graph, node);
  if (opset < 18 && node.type === "Split" && node.inputs[1] === undefined) {
    return { ...node, attributes: { ...node.attributes, num_outputs: int(node.outputCount) } };
  }
  if (opset < 14 && node.type === "BatchNormalization") {
    // More outputs than one meant training.
    return { ...node, attributes: { ...node.attributes, training_mode: int(node.outputCount > 1 ? 1 : 0) } };
  }
  return withoutAttributes(node, DROPPED[node.type] ?? []);
}

function axesAsInput(graph: Graph, node: NodeParts): NodeParts {
  const { axes, ...attributes } = node.attributes;
  if (axes?.type !== "ints") return { ...node, attributes };
  return { ...node, inputs: [node.inputs[0], graph.integers(axes.value)], attributes };
}

function withoutAttributes(node: NodeParts, names: readonly string[]): NodeParts {
  if (!names.some((name) => name in node.attributes)) return node;
  const kept = Object.entries(node.attributes).filter(([name]) => !names.includes(name));
  return { ...node, attributes: Object.fromEntries(kept) };
}
