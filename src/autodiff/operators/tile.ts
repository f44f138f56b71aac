import { LetheError } from "../../kernel/errors.ts";
import { reduceSum, reshape } from "../../onnx/functions/index.ts";
import { knownContents } from "../../onnx/graph.ts";
import type { Operator, Value } from "../../onnx/ir.ts";
import { type Dim, formatShape, productOfDims } from "../../onnx/shape.ts";
import { contentsOf } from "./known.ts";
import { inputOf } from "./rule.ts";

/** All of x laid side by side several times along its axes. */
export const tileOperators: readonly Operator[] = [
  {
    type: "Tile",
    limits: "The repeats have to be known before the graph runs.",
    constantInputs: [1],
    infer: (context) => {
      const { dtype, shape } = inputOf(context, 0);
      const repeats = contentsOf(context, 1);
      if (
        repeats.length !== shape.length ||
        repeats.some((times) => typeof times === "number" && times < 0)
      ) {
        throw new LetheError(
          "data",
          "DATA_SHAPE",
          `Expected a number of repeats ≥ 0 for every axis of ${formatShape(shape)}, got ${formatShape(repeats)}.`,
        );
      }
      return [{ dtype, shape: shape.map((dim, axis) => productOfDims([repeats[axis] as Dim, dim])) }];
    },
    // The copies of an axis become an axis of their own, which is summed away.
    gradient: ({ inputs, gradients: [dy] }) => {
      const [x, repeats] = inputs as [Value, Value];
      if (dy === undefined) return [];
      const pieces: Dim[] = [];
      const copies: number[] = [];
      x.shape.forEach((dim, axis) => {
        const times = knownContents(repeats)?.[axis] as Dim;
        if (times !== 1) copies.push(pieces.push(times) - 1);
        pieces.push(dim);
      });
      return [reduceSum(reshape(dy, pieces), { axes: copies })];
    },
  },
];
