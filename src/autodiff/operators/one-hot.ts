import { LetheError } from "../../kernel/errors.ts";
import { numberAttribute } from "../../onnx/attributes.ts";
import type { Operator } from "../../onnx/ir.ts";
import { normalizeAxis } from "../../onnx/shape.ts";
import { inputOf } from "./rule.ts";

/** Class numbers as vectors with one entry set. */
export const oneHotOperators: readonly Operator[] = [
  {
    type: "OneHot",
    isPiecewiseConstant: true,
    constantInputs: [1, 2],
    infer: (context) => {
      const [indices, depth, values] = [inputOf(context, 0), inputOf(context, 1), inputOf(context, 2)];
      const size = depth.contents?.[0];
      if (size === undefined) {
        throw new LetheError("data", "DATA_SHAPE", "Expected a constant depth, got a computed one.");
      }
      const axis = normalizeAxis(numberAttribute(context.attributes, "axis", -1), indices.shape.length + 1);
      return [{ dtype: values.dtype, shape: indices.shape.toSpliced(axis, 0, size) }];
    },
  },
];
