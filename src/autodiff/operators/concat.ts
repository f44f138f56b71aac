import { LetheError } from "../../kernel/errors.ts";
import { numberAttribute } from "../../onnx/attributes.ts";
import { concat, split, zerosLike } from "../../onnx/functions/index.ts";
import type { GraphNode, InferContext, Operator, Value } from "../../onnx/ir.ts";
import { type Dim, formatShape, normalizeAxis, sumOfDims } from "../../onnx/shape.ts";
import { integersOf, knownSize } from "./known.ts";
import { inputOf } from "./rule.ts";

/** Values laid end to end along an axis, and taken apart again; each is the other's gradient. */
export const concatOperators: readonly Operator[] = [
  {
    type: "Concat",
    limits: "For the gradient the sizes along the axis have to be known.",
    infer: (context) => {
      const { dtype, shape } = inputOf(context, 0);
      const axis = axisOf(context, shape.length);
      const values = context.inputs.map((_, index) => inputOf(context, index));
      for (const value of values) requireAligned(value, shape, axis);
      const contents =
        shape.length === 1 && values.every((value) => value.contents !== undefined)
          ? values.flatMap((value) => [...(value.contents ?? [])])
          : undefined;
      const total = sumOfDims(values.map((value) => value.shape[axis] as Dim));
      return [{ dtype, shape: shape.with(axis, total), contents }];
    },
    gradient: ({ node, inputs, gradients: [dy] }) => {
      if (dy === undefined) return [];
      const axis = axisOf(node, dy.shape.length);
      const sizes = inputs.map((value) => knownSize(value as Value, axis));
      return split(dy, sizes, axis);
    },
  },
  {
    type: "Split",
    limits: "The size of the axis has to be known.",
    infer: (context) => {
      const { dtype, shape } = inputOf(context, 0);
      const axis = axisOf(context, shape.length);
      return partSizes(context, axis).map((size) => ({ dtype, shape: shape.with(axis, size) }));
    },
    gradient: ({ node, outputs, gradients }) => {
      const rank = (outputs[0] as Value).shape.length;
      const parts = outputs.map((output, index) => gradients[index] ?? zerosLike(output));
      return [concat(parts, axisOf(node, rank))];
    },
  },
];

/** The sizes of the parts: the second input, or equal ones with a smaller last. */
function partSizes(context: InferContext, axis: number): readonly number[] {
  const total = knownSize(inputOf(context, 0), axis);
  const count = context.outputCount;
  const each = Math.ceil(total / count);
  const sizes =
    context.inputs[1] === undefined
      ? Array.from({ length: count }, (_, index) => Math.min(each, total - index * each))
      : integersOf(context.inputs[1]);
  const fits = sizes.every((size) => size >= 0) && sizes.reduce((sum, size) => sum + size, 0) === total;
  if (fits && sizes.length === count) return sizes;
  throw new LetheError(
    "data",
    "DATA_SHAPE",
    `Expected ${count} parts that fill ${total} elements of axis ${axis}, got sizes [${sizes}].`,
  );
}

function requireAligned({ shape }: Value, first: readonly Dim[], axis: number): void {
  const fits = shape.every((dim, index) => {
    const other = first[index];
    return index === axis || dim === other || typeof dim === "string" || typeof other === "string";
  });
  if (fits && shape.length === first.length) return;
  throw new LetheError(
    "data",
    "DATA_SHAPE",
    `Expected shapes that agree but along axis ${axis}, got ${formatShape(first)} and ${formatShape(shape)}.`,
  );
}

function axisOf(node: Pick<GraphNode, "attributes">, rank: number): number {
  return normalizeAxis(numberAttribute(node.attributes, "axis", 0), rank);
}
