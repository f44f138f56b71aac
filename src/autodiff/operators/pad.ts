import { LetheError } from "../../kernel/errors.ts";
import { stringAttribute } from "../../onnx/attributes.ts";
import { pad } from "../../onnx/functions/index.ts";
import type { Operator, Value } from "../../onnx/ir.ts";
import { normalizeAxis, sumOfDims } from "../../onnx/shape.ts";
import { integersOf } from "./known.ts";
import { inputOf } from "./rule.ts";

/** Constants put around x; negative pads cut elements off instead. */
export const padOperators: readonly Operator[] = [
  {
    type: "Pad",
    constantInputs: [1, 2, 3],
    infer: (context) => {
      const x = inputOf(context, 0);
      const [before, after] = padsOf(context.inputs);
      const shape = x.shape.map((dim, axis) => {
        const added = (before[axis] as number) + (after[axis] as number);
        if (typeof dim === "number" && dim + added < 0) {
          throw new LetheError(
            "data",
            "DATA_SHAPE",
            `Expected to cut at most ${dim} elements off axis ${axis}, got ${-added}.`,
          );
        }
        return added === 0 ? dim : sumOfDims([dim, added]);
      });
      return [{ dtype: x.dtype, shape }];
    },
    gradient: ({ node, inputs, gradients: [dy] }) => {
      const mode = stringAttribute(node.attributes, "mode", "constant");
      if (mode !== "constant") {
        throw new LetheError(
          "data",
          "DATA_NO_GRADIENT",
          `Expected Pad with mode constant, got ${mode} in node \`${node.name}\`.`,
        );
      }
      const [before, after] = padsOf(inputs);
      const negated = (pads: readonly number[]): number[] => pads.map((count) => -count);
      return [dy && pad(dy, negated(before), negated(after))];
    },
  },
];

/** How much is added before and after every axis of x. */
function padsOf([x, pads, , axes]: readonly (Value | undefined)[]): [number[], number[]] {
  const rank = (x as Value).shape.length;
  const given = integersOf(pads);
  const along = axes === undefined ? (x as Value).shape.map((_, axis) => axis) : integersOf(axes);
  if (given.length !== 2 * along.length) {
    throw new LetheError(
      "data",
      "DATA_SHAPE",
      `Expected two pads for each of ${along.length} axes, got ${given.length}.`,
    );
  }
  const [before, after] = [new Array<number>(rank).fill(0), new Array<number>(rank).fill(0)];
  along.forEach((axis, index) => {
    before[normalizeAxis(axis, rank)] = given[index] as number;
    after[normalizeAxis(axis, rank)] = given[index + along.length] as number;
  });
  return [before, after];
}
