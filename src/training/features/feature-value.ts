import { LetheError } from "../../kernel/errors.ts";
import { flatten } from "../../onnx/functions/index.ts";
import type { GraphNode, Value } from "../../onnx/ir.ts";
import { nodesBehind } from "../../onnx/nodes-behind.ts";
import type { ParameterValues } from "../objective-context.ts";

/**
 * The features of a forward pass, one row a sample: what goes into the last dense layer (the penultimate layer's output), or what
 * is found at a name.
 *
 * @param logits - the pass's class scores [batch, classes]
 * @param weights - the weights the pass was made with
 * @param at - the name of a dense or convolution layer's weight: what goes into that layer; or the name of a node, as the file
 *   of an imported model has it: what comes out of it
 * @returns [batch, size]
 * @throws LETHE_USAGE_FEATURES when nothing has that name, or no dense layer ends the model
 */
export function featureValue(logits: Value, weights: ParameterValues, at?: string): Value {
  const nodes = nodesBehind([logits]);
  const found = at === undefined ? lastDenseInput(nodes, weights) : named(nodes, weights, at);
  if (found !== undefined) return found.shape.length === 2 ? found : flatten(found);
  const names = [...weights].filter(([, value]) => layerInput(nodes, value) !== undefined);
  throw new LetheError(
    "usage",
    "USAGE_FEATURES",
    `Expected features at ${at === undefined ? "the last dense layer" : `\`${at}\``}, got none. ` +
      `Layers of this model: ${names.map(([name]) => name).join(", ") || "none"}.`,
  );
}

/** What goes into the layer a weight belongs to, where a node uses it as a matrix or a filter. */
export function layerInput(nodes: ReadonlySet<GraphNode>, weight: Value): Value | undefined {
  return layerNode(nodes, weight)?.inputs[0];
}

/** The dense or convolution node a weight belongs to. */
export function layerNode(nodes: ReadonlySet<GraphNode>, weight: Value): GraphNode | undefined {
  return [...nodes].find(
    (node) => ["Gemm", "MatMul", "Conv"].includes(node.type) && node.inputs[1] === weight,
  );
}

function lastDenseInput(nodes: ReadonlySet<GraphNode>, weights: ParameterValues): Value | undefined {
  const isWeight = new Set(weights.values());
  const dense = [...nodes].filter(
    ({ type, inputs }) =>
      (type === "Gemm" || type === "MatMul") && inputs[1] !== undefined && isWeight.has(inputs[1]),
  );
  const idOf = (node: GraphNode): number => node.outputs[0]?.id ?? -1;
  const last = dense.reduce<GraphNode | undefined>(
    (latest, node) => (latest === undefined || idOf(node) > idOf(latest) ? node : latest),
    undefined,
  );
  return last?.inputs[0];
}

function named(nodes: ReadonlySet<GraphNode>, weights: ParameterValues, at: string): Value | undefined {
  const weight = weights.get(at) ?? weights.get(`${at}.weight`);
  if (weight !== undefined) return layerInput(nodes, weight);
  return [...nodes].find(({ name }) => name === at)?.outputs[0];
}
