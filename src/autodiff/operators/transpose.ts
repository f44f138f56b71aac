import { LetheError } from "../../kernel/errors.ts";
import { type Attributes, intsAttribute } from "../../onnx/attributes.ts";
import { sumTo, transpose } from "../../onnx/functions/index.ts";
import type { Operator, Value } from "../../onnx/ir.ts";
import { broadcastShapes, type Dim } from "../../onnx/shape.ts";
import { rearranged } from "./contents.ts";
import { contentsOf } from "./known.ts";
import { inputOf } from "./rule.ts";

/** Axes in another order, and axes of size 1 repeated. */
export const transposeOperators: readonly Operator[] = [
  {
    type: "Transpose",
    infer: (context) => {
      const x = inputOf(context, 0);
      const order = orderOf(context.attributes, x.shape.length);
      const shape = order.map((axis) => x.shape[axis] as Dim);
      const contents = rearranged(x, shape, (place) =>
        x.shape.map((_, axis) => place[order.indexOf(axis)] as number),
      );
      return [{ dtype: x.dtype, shape, contents }];
    },
    gradient: ({ node, inputs, gradients: [dy] }) => {
      const order = orderOf(node.attributes, (inputs[0] as Value).shape.length);
      const inverse = order.map((_, axis) => order.indexOf(axis));
      return [dy && transpose(dy, inverse)];
    },
  },
  {
    type: "Expand",
    limits: "The shape has to be known before the graph runs; the batch may be among its sizes by name.",
    infer: (context) => {
      const x = inputOf(context, 0);
      const shape = broadcastShapes(x.shape, contentsOf(context, 1));
      const lead = shape.length - x.shape.length;
      const contents = rearranged(x, shape, (place) =>
        x.shape.map((size, axis) => (size === 1 ? 0 : (place[axis + lead] as number))),
      );
      return [{ dtype: x.dtype, shape, contents }];
    },
    gradient: ({ inputs, gradients: [dy] }) => [dy && sumTo(dy, (inputs[0] as Value).shape)],
  },
];

function orderOf(attributes: Attributes, rank: number): readonly number[] {
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  const order = intsAttribute(attributes, "perm", axes.toReversed());
  if (order.length === rank && axes.every((axis) => order.includes(axis))) return order;
  throw new LetheError(
    "data",
    "DATA_ATTRIBUTE",
    `Expected perm to order the axes 0 to ${rank - 1}, got [${order}].`,
  );
}
