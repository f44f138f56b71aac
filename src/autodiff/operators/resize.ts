import { LetheError } from "../../kernel/errors.ts";
import { type Attributes, stringAttribute } from "../../onnx/attributes.ts";
import { averagePool, mul } from "../../onnx/functions/index.ts";
import type { Operator, Value } from "../../onnx/ir.ts";
import { type Dim, isStatic } from "../../onnx/shape.ts";
import { numbersOf } from "../../onnx/tensor.ts";
import { inputOf } from "./rule.ts";

/** Nearest-neighbour enlargement by whole factors: every element becomes a block. Nothing else of Resize is read. */
export const resizeOperators: readonly Operator[] = [
  {
    type: "Resize",
    constantInputs: [1, 2, 3],
    infer: (context) => {
      const x = inputOf(context, 0);
      requireBlocks(context.attributes);
      const factors = factorsOf(context.inputs);
      const shape = x.shape.map((dim, axis): Dim => {
        const factor = factors[axis] as number;
        return factor === 1 ? dim : (dim as number) * factor;
      });
      return [{ dtype: x.dtype, shape }];
    },
    // Each block's gradients are summed: their mean times their number.
    gradient: ({ inputs, gradients: [dy] }) => {
      if (dy === undefined) return [];
      const factors = factorsOf(inputs).slice(2);
      const elements = factors.reduce((product, factor) => product * factor, 1);
      return [mul(averagePool(dy, factors, { strides: factors }), elements)];
    },
  },
];

/** The whole number of repeats along every axis, from `scales` (input 2) or `sizes` (input 3). */
function factorsOf(inputs: readonly (Value | undefined)[]): readonly number[] {
  const [x, , scales, sizes] = inputs as [Value, Value?, Value?, Value?];
  const given = scales?.constant && numbersOf(scales.constant);
  const wanted = sizes?.contents;
  const factors =
    given !== undefined && given.length > 0
      ? given
      : wanted?.map((size, axis) => (size === x.shape[axis] ? 1 : Number(size) / Number(x.shape[axis])));
  const isWhole = factors?.every(
    (factor, axis) =>
      Number.isInteger(factor) &&
      factor >= 1 &&
      (factor === 1 || (axis > 1 && isStatic([x.shape[axis] ?? 1]))),
  );
  if (factors !== undefined && isWhole && factors.length === x.shape.length && factors.length > 2)
    return factors;
  throw new LetheError(
    "data",
    "DATA_SHAPE",
    `Expected constant whole factors along the spatial axes of known size, and 1 for batch and channels, got ` +
      `[${factors ?? "computed"}] for [${x.shape}].`,
  );
}

function requireBlocks(attributes: Attributes): void {
  const mode = stringAttribute(attributes, "mode", "nearest");
  const coordinates = stringAttribute(attributes, "coordinate_transformation_mode", "half_pixel");
  const rounding = stringAttribute(attributes, "nearest_mode", "round_prefer_floor");
  // With whole factors the centre of a pixel lies in its own block under half_pixel too, whichever way ties would go.
  const isBlock = coordinates === "half_pixel" || (coordinates === "asymmetric" && rounding === "floor");
  if (mode === "nearest" && isBlock) return;
  throw new LetheError(
    "data",
    "DATA_ATTRIBUTE",
    `Expected Resize in mode nearest with asymmetric coordinates rounded down, got ${mode}, ${coordinates}, ${rounding}.`,
  );
}
