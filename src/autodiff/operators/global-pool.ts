import {
  div,
  globalAveragePool,
  indicatorNonNegative,
  matmul,
  mul,
  reshape,
  sub,
} from "../../onnx/functions/index.ts";
import type { GradientContext, InferContext, Operator, Value, ValueType } from "../../onnx/ir.ts";
import { tensorOfNumbers } from "../../onnx/tensor.ts";
import { spatialSizes } from "./known.ts";
import { inputOf } from "./rule.ts";

/** The mean and the maximum over all spatial axes, which stay as size 1. */
export const globalPoolOperators: readonly Operator[] = [
  {
    type: "GlobalAveragePool",
    infer: pooled,
    gradient: ({ inputs, gradients: [dy] }) => [dy && spread(dy, inputs[0] as Value)],
  },
  {
    type: "GlobalMaxPool",
    infer: pooled,
    gradient: maximumRule,
  },
];

/** ȳ/elements to every element: as a product with a row of constants, a fifth of the cost of an Expand. */
function spread(dy: Value, x: Value): Value {
  const sizes = spatialSizes(x);
  const elements = sizes.reduce((product, size) => product * size, 1);
  const share = tensorOfNumbers(x.dtype, [1, elements], new Array<number>(elements).fill(1 / elements));
  const lead = x.shape.slice(0, 2);
  return reshape(matmul(reshape(dy, [...lead, 1]), x.graph.constant(share, "share")), x.shape);
}

/** ȳ to the maximum, in equal shares where several elements attain it. */
function maximumRule({ inputs, outputs, gradients: [dy] }: GradientContext): readonly (Value | undefined)[] {
  const [x] = inputs as [Value];
  const [y] = outputs as [Value];
  if (dy === undefined) return [];
  const elements = spatialSizes(x).reduce((product, size) => product * size, 1);
  const attained = indicatorNonNegative(sub(x, y));
  const ties = mul(globalAveragePool(attained), elements);
  return [mul(attained, div(dy, ties))];
}

function pooled(context: InferContext): readonly ValueType[] {
  const x = inputOf(context, 0);
  return [{ dtype: x.dtype, shape: [...x.shape.slice(0, 2), ...spatialSizes(x).map(() => 1)] }];
}
