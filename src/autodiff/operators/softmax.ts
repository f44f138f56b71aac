import { numberAttribute } from "../../onnx/attributes.ts";
import { exp, mul, reduceSum, sub } from "../../onnx/functions/index.ts";
import type { GraphNode, InferContext, Operator, Value, ValueType } from "../../onnx/ir.ts";
import { normalizeAxis } from "../../onnx/shape.ts";
import { inputOf, likeInput } from "./rule.ts";

/** Softmax along an axis, its logarithm, and the limit of no temperature. */
export const softmaxOperators: readonly Operator[] = [
  {
    type: "Softmax",
    infer: alongAxis,
    // x̄ = y ∘ (ȳ − Σ ȳ∘y)
    gradient: ({ node, outputs, gradients: [dy] }) => {
      const [y] = outputs as [Value];
      return [dy && mul(y, sub(dy, reduceSum(mul(dy, y), { axes: [axisOf(node, y)], keepDims: true })))];
    },
  },
  {
    type: "LogSoftmax",
    infer: alongAxis,
    // x̄ = ȳ − eʸ·Σ ȳ
    gradient: ({ node, outputs, gradients: [dy] }) => {
      const [y] = outputs as [Value];
      return [dy && sub(dy, mul(exp(y), reduceSum(dy, { axes: [axisOf(node, y)], keepDims: true })))];
    },
  },
  // 1 at the (first) largest element, 0 elsewhere.
  { type: "Hardmax", isPiecewiseConstant: true, infer: alongAxis },
];

function alongAxis(context: InferContext): readonly ValueType[] {
  axisOf(context, inputOf(context, 0));
  return likeInput(context);
}

function axisOf(node: Pick<GraphNode, "attributes">, value: Value): number {
  return normalizeAxis(numberAttribute(node.attributes, "axis", -1), value.shape.length);
}
