import { LetheError } from "../../kernel/errors.ts";
import { numberAttribute } from "../../onnx/attributes.ts";
import { scatterElements, zerosLike } from "../../onnx/functions/index.ts";
import type { GraphNode, Operator, Value } from "../../onnx/ir.ts";
import { type Dim, normalizeAxis } from "../../onnx/shape.ts";
import { contentsOf } from "./known.ts";
import { inputOf } from "./rule.ts";

/** The k largest or smallest elements along an axis, and where they stood. */
export const topKOperators: readonly Operator[] = [
  {
    type: "TopK",
    limits:
      "k has to be known before the graph runs. Where elements tie, those the engine names get the gradient.",
    constantInputs: [1],
    infer: (context) => {
      const { dtype, shape } = inputOf(context, 0);
      const axis = axisOf(context, shape.length);
      const [k] = contentsOf(context, 1) as [Dim];
      const size = shape[axis] as Dim;
      if (typeof k === "number" && (k < 0 || (typeof size === "number" && k > size))) {
        throw new LetheError("data", "DATA_SHAPE", `Expected k between 0 and ${size}, got ${k}.`);
      }
      const kept = shape.with(axis, k);
      return [
        { dtype, shape: kept },
        { dtype: "int64", shape: kept },
      ];
    },
    gradient: ({ node, inputs, outputs, gradients: [dy] }) => {
      const [x] = inputs as [Value];
      const [, indices] = outputs as [Value, Value];
      return [dy && scatterElements(zerosLike(x), indices, dy, { axis: axisOf(node, x.shape.length) })];
    },
  },
];

function axisOf(node: Pick<GraphNode, "attributes">, rank: number): number {
  return normalizeAxis(numberAttribute(node.attributes, "axis", -1), rank);
}
