import { LetheError } from "../../kernel/errors.ts";
import type { Operator } from "../../onnx/ir.ts";

/** Operators that are known and cannot be read: the size of what they give depends on the elements they are given. */
export const refusedOperators: readonly Operator[] = [
  refused("Compress", "multiply by the condition, or gather at constant positions"),
  refused("NonMaxSuppression", "end the model before it: it selects from boxes and learns nothing"),
  refused("NonZero", "use Where with the condition, or multiply by it as a mask"),
  refused("Unique", "end the model before it, or leave repeats in"),
];

function refused(type: string, instead: string): Operator {
  return {
    type,
    isRefused: true,
    limits: `Refused: the size of its output depends on the elements of its input. Instead: ${instead}.`,
    infer: () => {
      throw new LetheError(
        "data",
        "DATA_OPERATOR",
        `Expected sizes that are known before the graph runs, got \`${type}\`, whose output is as large as its input's elements ` +
          `make it. Change the model before the export: ${instead}.`,
        { details: { operator: type } },
      );
    },
  };
}
