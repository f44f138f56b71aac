import { int, numberAttribute } from "../../onnx/attributes.ts";
import { mul, pad } from "../../onnx/functions/index.ts";
import type { GraphNode, InferContext, Operator, Value } from "../../onnx/ir.ts";
import { normalizeAxis } from "../../onnx/shape.ts";
import { composite } from "./composite.ts";
import { integersOf, knownSize } from "./known.ts";
import { inputOf, likeInput } from "./rule.ts";

/**
 * Running sums and products along an axis, with or without the element itself (`exclusive`), from the front or from the back
 * (`reverse`).
 */
export const cumulativeOperators: readonly Operator[] = [
  {
    type: "CumSum",
    infer: (context) => {
      axisOf(context);
      return likeInput(context);
    },
    // Element i is part of the sums at and behind it: the same sum from the other end.
    gradient: ({ node, inputs, gradients: [dy] }) => {
      const attributes = { ...node.attributes, reverse: int(isSet(node, "reverse") ? 0 : 1) };
      return [dy?.graph.apply("CumSum", [dy, inputs[1] as Value], attributes)];
    },
  },
  // Products of 1, 2, 4, … neighbours, each of two of half as many: no division, so that zeros are no matter.
  composite(
    "CumProd",
    (context) => {
      const x = inputOf(context, 0);
      const axis = axisOf(context);
      const shifted = (value: Value, count: number): Value => {
        const along = (added: number): number[] => x.shape.map((_, index) => (index === axis ? added : 0));
        const isReverse = isSet(context, "reverse");
        return pad(value, along(isReverse ? -count : count), along(isReverse ? count : -count), 1);
      };
      let products = isSet(context, "exclusive") ? shifted(x, 1) : x;
      const size = knownSize(x, axis);
      for (let reach = 1; reach < size; reach *= 2) products = mul(products, shifted(products, reach));
      return [products];
    },
    { since: 26 },
  ),
];

function axisOf(context: InferContext): number {
  const [axis = 0] = integersOf(context.inputs[1]);
  return normalizeAxis(axis, inputOf(context, 0).shape.length);
}

function isSet({ attributes }: Pick<GraphNode, "attributes">, flag: "exclusive" | "reverse"): boolean {
  return numberAttribute(attributes, flag, 0) !== 0;
}
