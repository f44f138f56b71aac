import { LetheError } from "../../kernel/errors.ts";
import { numberAttribute } from "../../onnx/attributes.ts";
import {
  cast,
  div,
  divideByCount,
  equal,
  expandLike,
  mul,
  reduceSum,
  reshape,
  unsqueeze,
} from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/graph.ts";
import type { GradientContext, InferContext, Operator } from "../../onnx/operator.ts";
import { normalizeAxis, type Shape } from "../../onnx/shape.ts";
import { inputOf } from "./rule.ts";

/** Sums, means and extremes over axes; the axes are the second input (opset 18), all of them when it is absent. */
export const reduceOperators: readonly Operator[] = [
  reduction("ReduceSum", ({ inputs: [x] }, dy) => expandLike(dy, x as Value)),
  reduction("ReduceMean", ({ inputs: [x, axes] }, dy) =>
    divideByCount(expandLike(dy, x as Value), x as Value, axesOf(x as Value, axes)),
  ),
  reduction("ReduceMax", extremumRule),
  reduction("ReduceMin", extremumRule),
  reduction("ReduceProd", undefined),
  {
    type: "ArgMax",
    isPiecewiseConstant: true,
    infer: (context) => {
      const x = inputOf(context, 0);
      const axis = normalizeAxis(numberAttribute(context.attributes, "axis", 0), x.shape.length);
      const keep = numberAttribute(context.attributes, "keepdims", 1) !== 0;
      return [{ dtype: "int64", shape: reducedShape(x.shape, [axis], keep) }];
    },
  },
];

/** The rule gets ȳ with the reduced axes put back as size 1. */
function reduction(
  type: string,
  rule: ((context: GradientContext, dy: Value, y: Value) => Value) | undefined,
): Operator {
  return {
    type,
    infer: (context) => {
      const x = inputOf(context, 0);
      return [
        { dtype: x.dtype, shape: reducedShape(x.shape, axesOf(x, context.inputs[1]), keepsDims(context)) },
      ];
    },
    ...(rule === undefined
      ? {}
      : {
          gradient: (context: GradientContext) => {
            const [dy] = context.gradients;
            const [y] = context.outputs as [Value];
            if (dy === undefined) return [];
            const keeps = numberAttribute(context.node.attributes, "keepdims", 1) !== 0;
            const axes = axesOf(context.inputs[0] as Value, context.inputs[1]);
            const restore = (value: Value): Value => (keeps ? value : restoreAxes(value, axes));
            return [rule(context, restore(dy), restore(y))];
          },
        }),
  };
}

/** max over axes: the gradient is shared equally among the elements that attain it. */
function extremumRule({ inputs: [x, axes] }: GradientContext, dy: Value, y: Value): Value {
  const source = x as Value;
  const attained = cast(equal(source, y), source.dtype);
  const ties = reduceSum(attained, { axes: axesOf(source, axes), keepDims: true });
  return mul(attained, div(dy, ties));
}

function restoreAxes(value: Value, axes: readonly number[]): Value {
  return value.shape.length === 0
    ? reshape(
        value,
        axes.map(() => 1),
      )
    : unsqueeze(value, axes);
}

function axesOf(x: Value, axes: Value | undefined): number[] {
  if (axes === undefined) return x.shape.map((_, axis) => axis);
  if (axes.contents === undefined) {
    throw new LetheError("data", "DATA_SHAPE", "Expected constant axes of a reduction, got computed ones.");
  }
  return axes.contents.map((axis) => normalizeAxis(Number(axis), x.shape.length));
}

function keepsDims(context: InferContext): boolean {
  return numberAttribute(context.attributes, "keepdims", 1) !== 0;
}

function reducedShape(shape: Shape, axes: readonly number[], keepDims: boolean): Shape {
  return keepDims
    ? shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
    : shape.filter((_, axis) => !axes.includes(axis));
}
