import { LetheError } from "../../kernel/errors.ts";
import { numberAttribute } from "../../onnx/attributes.ts";
import type { InferContext, Operator, Value } from "../../onnx/ir.ts";
import { type Dim, formatShape, isStatic, productOfDims } from "../../onnx/shape.ts";
import { dtypeOfTypeNumber, numbersOf } from "../../onnx/tensor.ts";
import { contentsOf } from "./known.ts";
import { inputOf } from "./rule.ts";

/** Sizes as numbers, and values made from sizes. */
export const shapeOperators: readonly Operator[] = [
  {
    type: "Shape",
    isPiecewiseConstant: true,
    infer: (context) => {
      const { shape } = inputOf(context, 0);
      const start = numberAttribute(context.attributes, "start", 0);
      const contents = shape.slice(start, numberAttribute(context.attributes, "end", shape.length));
      return [{ dtype: "int64", shape: [contents.length], contents }];
    },
  },
  {
    type: "Size",
    isPiecewiseConstant: true,
    infer: (context) => [{ dtype: "int64", shape: [], contents: [productOfDims(inputOf(context, 0).shape)] }],
  },
  {
    type: "ConstantOfShape",
    limits: "The shape has to be known before the graph runs; the batch may be among its sizes by name.",
    isPiecewiseConstant: true,
    infer: (context) => {
      const shape = contentsOf(context, 0);
      const { value } = context.attributes;
      const dtype = value?.type === "tensor" ? value.value.dtype : "float32";
      const isSmall = dtype === "int64" && isStatic(shape) && shape.length === 1;
      const fill = value?.type === "tensor" ? Number(value.value.data[0]) : 0;
      const [length] = shape;
      // Small vectors of integers take part in shape arithmetic (they are often axes or repeats).
      const contents =
        isSmall && Number(length) <= MOST_AXES ? new Array<number>(Number(length)).fill(fill) : undefined;
      return [{ dtype, shape, contents }];
    },
  },
  {
    type: "Range",
    isPiecewiseConstant: true,
    limits: "Start, limit and step have to be known before the graph runs; the limit may be a named size.",
    infer: (context) => {
      const { dtype } = inputOf(context, 0);
      const [start, limit, step] = [0, 1, 2].map((index) => endOf(context, index)) as [Dim, Dim, Dim];
      // From 0 to a named size: as many.
      if (start === 0 && step === 1 && typeof limit === "string") return [{ dtype, shape: [limit] }];
      if (!isStatic([start, limit, step]) || step === 0) {
        throw new LetheError(
          "data",
          "DATA_SHAPE",
          `Expected numbers and a step other than 0, got ${formatShape([start, limit, step])}.`,
        );
      }
      const [from, to, by] = [start, limit, step] as [number, number, number];
      const count = Math.max(0, Math.ceil((to - from) / by));
      const isSmall = dtype === "int64" && count <= MOST_AXES;
      const contents = isSmall ? Array.from({ length: count }, (_, index) => from + index * by) : undefined;
      return [{ dtype, shape: [count], contents }];
    },
  },
  {
    type: "EyeLike",
    isPiecewiseConstant: true,
    infer: (context) => {
      const { dtype, shape } = inputOf(context, 0);
      if (shape.length !== 2) {
        throw new LetheError("data", "DATA_SHAPE", `Expected a matrix, got shape ${formatShape(shape)}.`);
      }
      const { dtype: given } = context.attributes;
      return [{ dtype: given?.type === "int" ? dtypeOfTypeNumber(given.value) : dtype, shape }];
    },
  },
];

/** More axes than any model has. */
const MOST_AXES = 64;

/** A number of a range: a constant of any type, or a size. */
function endOf(context: InferContext, index: number): Dim {
  const { constant } = inputOf(context, index) as Value;
  return (constant === undefined ? contentsOf(context, index) : numbersOf(constant))[0] as Dim;
}
