import { int, numberAttribute } from "../../onnx/attributes.ts";
import type { Operator, Value } from "../../onnx/ir.ts";
import { normalizeAxis } from "../../onnx/shape.ts";
import { integersOf } from "./known.ts";
import { inputOf, likeInput } from "./rule.ts";

/** Running sums along an axis, with or without the element itself (`exclusive`), from the front or from the back (`reverse`). */
export const cumulativeSumOperators: readonly Operator[] = [
  {
    type: "CumSum",
    infer: (context) => {
      const axes = integersOf(context.inputs[1]);
      normalizeAxis(axes[0] as number, inputOf(context, 0).shape.length);
      return likeInput(context);
    },
    // Element i is part of the sums at and behind it: the same sum from the other end.
    gradient: ({ node, inputs, gradients: [dy] }) => {
      const reverse = numberAttribute(node.attributes, "reverse", 0) !== 0;
      const attributes = { ...node.attributes, reverse: int(reverse ? 0 : 1) };
      return [dy?.graph.apply("CumSum", [dy, inputs[1] as Value], attributes)];
    },
  },
];
