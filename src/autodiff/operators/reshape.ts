import { LetheError } from "../../kernel/errors.ts";
import { numberAttribute } from "../../onnx/attributes.ts";
import { reshapeLike } from "../../onnx/functions/index.ts";
import type { GradientContext, InferContext, Operator, Value, ValueType } from "../../onnx/ir.ts";
import {
  type Dim,
  formatShape,
  normalizeAxis,
  productOfDims,
  quotientOfDims,
  type Shape,
} from "../../onnx/shape.ts";
import { contentsOf } from "./known.ts";
import { inputOf } from "./rule.ts";

/** The same elements under another shape; the gradient gets the old shape back. */
export const reshapeOperators: readonly Operator[] = [
  {
    ...reshaping("Reshape", (context) => {
      const { dtype, contents } = inputOf(context, 0);
      return { dtype, shape: reshapedShape(context), contents };
    }),
    limits: "The shape has to be known before the graph runs, with at most one size by name alone.",
  },
  reshaping("Flatten", (context) => {
    const { dtype, shape } = inputOf(context, 0);
    const axis = numberAttribute(context.attributes, "axis", 1);
    if (Math.abs(axis) > shape.length) {
      throw new LetheError(
        "data",
        "DATA_SHAPE",
        `Expected an axis in [${-shape.length}, ${shape.length}], got ${axis}.`,
      );
    }
    return { dtype, shape: [productOfDims(shape.slice(0, axis)), productOfDims(shape.slice(axis))] };
  }),
  reshaping("Squeeze", (context) => {
    const { dtype, shape, contents } = inputOf(context, 0);
    const axes =
      context.inputs[1] === undefined
        ? shape.flatMap((dim, axis) => (dim === 1 ? [axis] : []))
        : axesOf(context, shape.length);
    const wrong = axes.find((axis) => shape[axis] !== 1 && typeof shape[axis] === "number");
    if (wrong !== undefined) {
      throw new LetheError(
        "data",
        "DATA_SHAPE",
        `Expected axis ${wrong} of ${formatShape(shape)} to have size 1.`,
      );
    }
    return { dtype, shape: shape.filter((_, axis) => !axes.includes(axis)), contents };
  }),
  reshaping("Unsqueeze", (context) => {
    const { dtype, shape, contents } = inputOf(context, 0);
    const added = contentsOf(context, 1).length;
    const full: Dim[] = [...shape];
    for (const axis of axesOf(context, shape.length + added).sort((a, b) => a - b)) full.splice(axis, 0, 1);
    return { dtype, shape: full, contents };
  }),
];

function reshaping(type: string, infer: (context: InferContext) => ValueType): Operator {
  return {
    type,
    infer: (context) => [infer(context)],
    gradient: ({ inputs, gradients: [dy] }: GradientContext) => [dy && reshapeLike(dy, inputs[0] as Value)],
  };
}

/** 0 keeps a size (unless `allowzero`), −1 is what the others leave. */
function reshapedShape(context: InferContext): Shape {
  const { shape } = inputOf(context, 0);
  const keepsZero = numberAttribute(context.attributes, "allowzero", 0) !== 0;
  const target = contentsOf(context, 1).map((dim, axis) =>
    dim === 0 && !keepsZero ? (shape[axis] ?? 0) : dim,
  );
  const known = target.filter((dim) => dim !== -1);
  const missing = quotientOfDims(shape, known);
  const fits =
    known.length === target.length ? missing === 1 || typeof missing === "string" : missing !== undefined;
  if (fits && known.length >= target.length - 1) {
    return target.map((dim) => (dim === -1 ? (missing as Dim) : dim));
  }
  throw new LetheError(
    "data",
    "DATA_SHAPE",
    `Expected a shape that holds the elements of ${formatShape(shape)}, got ${formatShape(target)}.`,
  );
}

function axesOf(context: InferContext, rank: number): number[] {
  return contentsOf(context, 1).map((axis) => normalizeAxis(Number(axis), rank));
}
