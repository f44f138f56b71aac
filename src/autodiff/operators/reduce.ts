import { numberAttribute } from "../../onnx/attributes.ts";
import {
  cast,
  div,
  divideByCount,
  equal,
  exp,
  expandLike,
  mul,
  reduceSum,
  sub,
  unsqueeze,
} from "../../onnx/functions/index.ts";
import type { GradientContext, GraphNode, InferContext, Operator, Value } from "../../onnx/ir.ts";
import { normalizeAxis, type Shape } from "../../onnx/shape.ts";
import { integersOf } from "./known.ts";
import { productGradient } from "./product-gradient.ts";
import { inputOf } from "./rule.ts";

/** x̄ from ȳ and y, whose reduced axes are put back with size 1. */
type ReductionRule = (x: Value, dy: Value, y: Value, axes: readonly number[]) => Value;

/** Sums, means and extremes over axes; the axes are the second input, all of them when it is absent. */
export const reduceOperators: readonly Operator[] = [
  reduction("ReduceSum", (x, dy) => expandLike(dy, x)),
  reduction("ReduceMean", (x, dy, _y, axes) => expandLike(divideByCount(dy, x, axes), x)),
  reduction("ReduceMax", extremumRule),
  reduction("ReduceMin", extremumRule),
  reduction("ReduceProd", (x, dy, _y, axes) => productGradient(x, dy, axes)),
  // x̄ = ȳ·eˣ/Σeˣ
  reduction("ReduceLogSumExp", (x, dy, y) => mul(dy, exp(sub(x, y)))),
  extremumPosition("ArgMax"),
  extremumPosition("ArgMin"),
];

function reduction(type: string, rule: ReductionRule): Operator {
  const infer: Operator["infer"] = (context) => {
    const x = inputOf(context, 0);
    const axes = axesOf(context, x);
    return [{ dtype: x.dtype, shape: reducedShape(x.shape, axes, keepsDims(context)) }];
  };
  const gradient = ({ node, inputs, outputs, gradients: [dy] }: GradientContext) => {
    const [x] = inputs as [Value];
    const [y] = outputs as [Value];
    if (dy === undefined) return [];
    const axes = axesOf(node, x);
    const restored = (value: Value): Value =>
      value.shape.length === x.shape.length ? value : unsqueeze(value, axes);
    return [rule(x, restored(dy), restored(y), axes)];
  };
  return { type, infer, gradient };
}

function extremumPosition(type: string): Operator {
  return {
    type,
    isPiecewiseConstant: true,
    infer: (context) => {
      const { shape } = inputOf(context, 0);
      const axis = normalizeAxis(numberAttribute(context.attributes, "axis", 0), shape.length);
      return [{ dtype: "int64", shape: reducedShape(shape, [axis], keepsDims(context)) }];
    },
  };
}

/** The gradient is shared equally among the elements that attain the extreme. */
function extremumRule(x: Value, dy: Value, y: Value, axes: readonly number[]): Value {
  const attained = cast(equal(x, y), x.dtype);
  const ties = reduceSum(attained, { axes, keepDims: true });
  return mul(attained, div(dy, ties));
}

/** Which axes to reduce; an empty list means all of them, unless `noop_with_empty_axes` makes it none. */
function axesOf({ inputs, attributes }: Pick<GraphNode, "inputs" | "attributes">, x: Value): number[] {
  const given = inputs[1] === undefined ? [] : integersOf(inputs[1]);
  if (given.length > 0) return given.map((axis) => normalizeAxis(axis, x.shape.length));
  return numberAttribute(attributes, "noop_with_empty_axes", 0) !== 0 ? [] : x.shape.map((_, axis) => axis);
}

function keepsDims(context: InferContext): boolean {
  return numberAttribute(context.attributes, "keepdims", 1) !== 0;
}

function reducedShape(shape: Shape, axes: readonly number[], keepDims: boolean): Shape {
  return keepDims
    ? shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
    : shape.filter((_, axis) => !axes.includes(axis));
}
