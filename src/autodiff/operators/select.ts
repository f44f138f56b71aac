import { numberAttribute } from "../../onnx/attributes.ts";
import { cast, mul, sub, sumTo } from "../../onnx/functions/index.ts";
import type { Operator, Value } from "../../onnx/ir.ts";
import { broadcastShapes, type Dim } from "../../onnx/shape.ts";
import { type DType, dtypeOfTypeNumber, isFloating } from "../../onnx/tensor.ts";
import { composite } from "./composite.ts";
import { combined } from "./contents.ts";
import { inputOf, requireSameType } from "./rule.ts";

/** Operators that pass elements on: by a condition, or in another type. */
export const selectOperators: readonly Operator[] = [
  {
    type: "Where",
    infer: (context) => {
      const [condition, a, b] = [inputOf(context, 0), inputOf(context, 1), inputOf(context, 2)];
      requireSameType(a, b);
      const shape = broadcastShapes(condition.shape, broadcastShapes(a.shape, b.shape));
      // How exporters write the shape of an expansion.
      const contents = combined([condition, a, b], (which, left, right) => (which === 0 ? right : left));
      return [{ dtype: a.dtype, shape, contents }];
    },
    gradient: ({ inputs, gradients: [dy], wanted }) => {
      const [condition, a, b] = inputs as [Value, Value, Value];
      if (dy === undefined) return [];
      const mask = cast(condition, dy.dtype);
      return [
        undefined,
        wanted[1] ? sumTo(mul(dy, mask), a.shape) : undefined,
        wanted[2] ? sumTo(mul(dy, sub(1, mask)), b.shape) : undefined,
      ];
    },
  },
  {
    type: "Identity",
    infer: (context) => {
      const { dtype, shape, contents } = inputOf(context, 0);
      return [{ dtype, shape, contents }];
    },
    gradient: ({ gradients: [dy] }) => [dy],
  },
  {
    type: "Cast",
    infer: (context) => {
      const { shape, contents } = inputOf(context, 0);
      const dtype = dtypeOfTypeNumber(numberAttribute(context.attributes, "to", 1));
      if (dtype !== "bool")
        return [{ dtype, shape, contents: contents?.map((size) => converted(size, dtype)) }];
      // Not of sizes that have only a name: they may be 0.
      const truths = contents?.map((element) =>
        typeof element === "number" ? Number(element !== 0) : undefined,
      );
      return [{ dtype, shape, contents: truths?.every((truth) => truth !== undefined) ? truths : undefined }];
    },
    gradient: ({ inputs, gradients: [dy] }) => [dy && cast(dy, (inputs[0] as Value).dtype)],
  },
  composite("CastLike", (context) => [cast(inputOf(context, 0), inputOf(context, 1).dtype)], { since: 15 }),
];

/** A size in another type: what is behind the point goes where that type holds whole numbers. */
function converted(size: Dim, dtype: DType): Dim {
  if (typeof size === "string") return size;
  if (dtype === "float32") return Math.fround(size);
  return isFloating(dtype) ? size : Math.trunc(size);
}
