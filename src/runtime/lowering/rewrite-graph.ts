import { Graph } from "../../onnx/graph.ts";
import type { GraphNode, Value } from "../../onnx/ir.ts";
import { nodesBehind } from "../../onnx/nodes-behind.ts";
import type { ModelContents } from "../../onnx/write-model.ts";

/**
 * What takes a node's place.
 *
 * @param inputs - the node's inputs in the new graph
 * @returns the values of its outputs; `undefined` to copy the node as it is
 */
export type NodeRewrite = (
  node: GraphNode,
  inputs: readonly (Value | undefined)[],
) => readonly Value[] | undefined;

/** The same values in a new graph, with some nodes replaced. Inputs, outputs and initializers keep their names. */
export function rewriteGraph(contents: ModelContents, rewrite: NodeRewrite): ModelContents {
  const [first] = [...contents.inputs, ...contents.outputs.values()];
  if (first === undefined) return contents;
  const graph = new Graph(first.graph.operators);
  const copies = new Map<Value, Value>();
  const outputs = [...contents.outputs.values()];
  for (const input of new Set([...contents.inputs, ...(contents.initializers?.keys() ?? [])])) {
    copies.set(input, graph.input(input.name, input.dtype, input.shape));
  }
  const copyOf = (value: Value): Value => {
    const known = copies.get(value);
    if (known !== undefined) return known;
    const { constant } = value;
    const copy =
      constant === undefined
        ? graph.input(value.name, value.dtype, value.shape)
        : graph.constant(constant, "constant");
    copies.set(value, copy);
    return copy;
  };
  const order = (node: GraphNode): number => (node.outputs[0] as Value).id;
  for (const node of [...nodesBehind(outputs)].sort((a, b) => order(a) - order(b))) {
    const inputs = node.inputs.map((input) => input && copyOf(input));
    const values =
      rewrite(node, inputs) ??
      graph.emit(node.type, inputs, node.attributes, {
        domain: node.domain,
        outputCount: node.outputs.length,
        name: node.name,
        declared: node.outputs,
        ...(node.version === undefined ? {} : { version: node.version }),
      });
    node.outputs.forEach((output, index) => {
      copies.set(output, values[index] as Value);
    });
  }
  return {
    ...contents,
    inputs: contents.inputs.map(copyOf),
    outputs: new Map([...contents.outputs].map(([name, value]) => [name, copyOf(value)])),
    ...(contents.initializers && {
      initializers: new Map([...contents.initializers].map(([value, tensor]) => [copyOf(value), tensor])),
    }),
  };
}
