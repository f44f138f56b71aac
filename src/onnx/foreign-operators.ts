import type { Attributes } from "./attributes.ts";
import { mul, sub } from "./functions/index.ts";
import type { Value } from "./ir.ts";
import { tensorOfNumbers } from "./tensor.ts";
import type { NodeParts } from "./upgrade.ts";

/**
 * Says nodes of other domains in standard operators, where that is simple: scikit-learn's Scaler, (x − offset)·scale.
 *
 * @returns the node itself where it is none of these, or the values of its outputs
 */
export function lowerForeignNode(domain: string, node: NodeParts): NodeParts | readonly Value[] {
  const [x] = node.inputs;
  if (domain !== "ai.onnx.ml" || node.type !== "Scaler" || x === undefined) return node;
  return [mul(sub(x, rowOf(x, node.attributes, "offset", 0)), rowOf(x, node.attributes, "scale", 1))];
}

/** One number a column, or one for all. */
function rowOf(x: Value, attributes: Attributes, name: string, fallback: number): Value {
  const attribute = attributes[name];
  const numbers = attribute?.type === "floats" ? attribute.value : [fallback];
  return x.graph.constant(tensorOfNumbers("float32", [numbers.length], numbers), name);
}
