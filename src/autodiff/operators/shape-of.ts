import { numberAttribute } from "../../onnx/attributes.ts";
import type { Operator } from "../../onnx/ir.ts";
import { isStatic } from "../../onnx/shape.ts";
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
    type: "ConstantOfShape",
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
];

/** More axes than any model has. */
const MOST_AXES = 64;
