import { numberAttribute } from "./attributes.ts";
import type { GraphNode, Value } from "./ir.ts";

/**
 * Floating-point operations of the dense operators (matrix products and convolutions) among nodes, a multiply and an add
 * counted as two: 2·M·N·K of a product, 2·|y|·(C/group)·∏k of a convolution. Elementwise work is not counted.
 *
 * @param batch - what the named dimensions stand for
 */
export function denseFlops(nodes: readonly GraphNode[], batch: number): number {
  return nodes.reduce((sum, node) => sum + flopsOf(node, batch), 0);
}

function flopsOf(node: GraphNode, batch: number): number {
  const size = (value: Value | undefined, axis: number): number => {
    const dim = value?.shape.at(axis) ?? 1;
    return typeof dim === "number" ? dim : batch;
  };
  const elements = (value: Value | undefined): number =>
    (value?.shape ?? []).reduce<number>((product, _, axis) => product * size(value, axis), 1);
  const [a, b] = node.inputs;
  const [y] = node.outputs;
  switch (node.type) {
    case "MatMul":
      return 2 * elements(y) * size(a, -1);
    case "Gemm":
      return 2 * elements(y) * size(a, numberAttribute(node.attributes, "transA", 0) === 0 ? 1 : 0);
    case "Conv":
      return (2 * elements(y) * elements(b)) / size(b, 0);
    case "ConvTranspose":
      return (2 * elements(a) * elements(b)) / size(b, 0);
    default:
      return 0;
  }
}
