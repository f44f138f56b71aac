import { numberAttribute } from "../../onnx/attributes.ts";
import type { GraphNode, Value } from "../../onnx/ir.ts";
import { normalizeAxis } from "../../onnx/shape.ts";

/** The axes a layer normalisation takes its statistics over: all from the attribute `axis` on. */
export function normalizedAxes(node: Pick<GraphNode, "attributes">, x: Value): number[] {
  const rank = x.shape.length;
  const first = normalizeAxis(numberAttribute(node.attributes, "axis", -1), rank);
  return Array.from({ length: rank - first }, (_, index) => first + index);
}
