import { LetheError } from "../../kernel/errors.ts";
import { numberAttribute, stringAttribute } from "../../onnx/attributes.ts";
import { gatherElements, scatterElements, zerosLike } from "../../onnx/functions/index.ts";
import type { GraphNode, Operator, Value } from "../../onnx/ir.ts";
import { normalizeAxis } from "../../onnx/shape.ts";
import { inputOf, likeInput } from "./rule.ts";

/**
 * Reading and writing single elements by index along an axis; each is the other's gradient. ScatterND with addition is left
 * out on purpose: ONNX Runtime loses updates to repeated indices when it has more than one thread.
 */
export const scatterOperators: readonly Operator[] = [
  {
    type: "GatherElements",
    infer: (context) => [{ dtype: inputOf(context, 0).dtype, shape: inputOf(context, 1).shape }],
    gradient: ({ node, inputs, gradients: [dy] }) => {
      const [x, indices] = inputs as [Value, Value];
      return [dy && scatterElements(zerosLike(x), indices, dy, { axis: axisOf(node, x), reduction: "add" })];
    },
  },
  {
    type: "ScatterElements",
    infer: likeInput,
    // Added: both gradients are ȳ. Put in place: ȳ where an update stands is the update's, elsewhere the old element's.
    gradient: ({ node, inputs, gradients: [dy], wanted }) => {
      const [x, indices, updates] = inputs as [Value, Value, Value];
      if (dy === undefined) return [];
      const axis = axisOf(node, x);
      const reduction = stringAttribute(node.attributes, "reduction", "none");
      if (reduction !== "none" && reduction !== "add") {
        throw new LetheError(
          "data",
          "DATA_NO_GRADIENT",
          `Expected ScatterElements with reduction none or add, got ${reduction} in node \`${node.name}\`.`,
        );
      }
      const kept = (): Value =>
        reduction === "add" ? dy : scatterElements(dy, indices, zerosLike(updates), { axis });
      return [
        wanted[0] ? kept() : undefined,
        undefined,
        wanted[2] ? gatherElements(dy, indices, axis) : undefined,
      ];
    },
  },
];

function axisOf(node: GraphNode, x: Value): number {
  return normalizeAxis(numberAttribute(node.attributes, "axis", 0), x.shape.length);
}
