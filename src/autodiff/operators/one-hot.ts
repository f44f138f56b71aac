import { LetheError } from "../../kernel/errors.ts";
import { numberAttribute } from "../../onnx/attributes.ts";
import { concat, mul, oneHot, reduceSum, reshape, sub } from "../../onnx/functions/index.ts";
import type { GraphNode, Operator, Value } from "../../onnx/ir.ts";
import { normalizeAxis } from "../../onnx/shape.ts";
import { knownSize } from "./known.ts";
import { inputOf } from "./rule.ts";

/** Class numbers as vectors with one entry set. */
export const oneHotOperators: readonly Operator[] = [
  {
    type: "OneHot",
    limits: "The depth has to be known before the graph runs.",
    constantInputs: [1, 2],
    infer: (context) => {
      const [indices, depth, values] = [inputOf(context, 0), inputOf(context, 1), inputOf(context, 2)];
      const size = depth.contents?.[0];
      if (size === undefined) {
        throw new LetheError("data", "DATA_SHAPE", "Expected a constant depth, got a computed one.");
      }
      return [{ dtype: values.dtype, shape: indices.shape.toSpliced(axisOf(context, indices), 0, size) }];
    },
    // values = [off, on]: each has the sum of ȳ over its places.
    gradient: ({ node, inputs, outputs, gradients: [dy], wanted }) => {
      const [indices] = inputs as [Value];
      const [y] = outputs as [Value];
      if (dy === undefined || !wanted[2]) return [];
      const axis = axisOf(node, indices);
      const isSet = oneHot(indices, knownSize(y, axis), dy.dtype, axis);
      const on = reduceSum(mul(dy, isSet));
      return [
        undefined,
        undefined,
        concat(
          [sub(reduceSum(dy), on), on].map((sum) => reshape(sum, [1])),
          0,
        ),
      ];
    },
  },
];

function axisOf(node: Pick<GraphNode, "attributes">, indices: Value): number {
  return normalizeAxis(numberAttribute(node.attributes, "axis", -1), indices.shape.length + 1);
}
