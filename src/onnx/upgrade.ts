import { LetheError } from "../kernel/errors.ts";
import { type Attributes, int, numberAttribute } from "./attributes.ts";
import { add, batchNormalizationOwn, mul } from "./functions/index.ts";
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

/**
 * Rewrites a node of opset 13 or newer in the form of the opset Lethe writes.
 *
 * @returns the node, or the values of its outputs where it takes several nodes to say the same
 * @throws LETHE_DATA_ATTRIBUTE for a form that has no counterpart
 */
export function upgradeNode(graph: Graph, node: NodeParts, opset: number): NodeParts | readonly Value[] {
  if (opset < 18 && AXES_BECAME_INPUT.has(node.type)) return axesAsInput(graph, node);
  if (opset < 18 && node.type === "Split" && node.inputs[1] === undefined) {
    return { ...node, attributes: { ...node.attributes, num_outputs: int(node.outputCount) } };
  }
  if (node.type === "BatchNormalization") return upgradeBatchNormalization(node, opset);
  return node;
}

function axesAsInput(graph: Graph, node: NodeParts): NodeParts {
  const { axes, ...attributes } = node.attributes;
  if (axes?.type !== "ints") return { ...node, attributes };
  return { ...node, inputs: [node.inputs[0], graph.integers(axes.value)], attributes };
}

/**
 * Inference form: as it is. Training form: own statistics, and running ones r ← r·momentum + batch·(1 − momentum). It is never
 * emitted, since ONNX Runtime writes its outputs over its inputs.
 */
function upgradeBatchNormalization(node: NodeParts, opset: number): NodeParts | readonly Value[] {
  const { training_mode: _, momentum: __, ...attributes } = node.attributes;
  // Before opset 14 more outputs than one meant training.
  const isTraining =
    opset < 14 ? node.outputCount > 1 : numberAttribute(node.attributes, "training_mode", 0) !== 0;
  if (!isTraining) return { ...node, attributes };
  const [x, scale, bias, mean, variance] = node.inputs;
  if (!x || !scale || !bias || !mean || !variance || x.shape.length < 2) {
    throw new LetheError("data", "DATA_SHAPE", "Expected BatchNormalization to have five inputs.");
  }
  const epsilon = numberAttribute(node.attributes, "epsilon", 1e-5);
  const momentum = numberAttribute(node.attributes, "momentum", 0.9);
  const own = batchNormalizationOwn(x, scale, bias, epsilon);
  const running = (before: Value, batch: Value): Value =>
    add(mul(before, momentum), mul(batch, 1 - momentum));
  return [own.y, running(mean, own.mean), running(variance, own.variance)];
}
