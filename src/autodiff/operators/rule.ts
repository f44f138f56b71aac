import { LetheError } from "../../kernel/errors.ts";
import type { Value } from "../../onnx/graph.ts";
import type { InferContext } from "../../onnx/operator.ts";

/**
 * An input the operator cannot do without.
 *
 * @throws LETHE_DATA_SHAPE when it was left out
 */
export function inputOf(context: InferContext, index: number): Value {
  const input = context.inputs[index];
  if (input === undefined) {
    throw new LetheError("data", "DATA_SHAPE", `Expected ${context.type} to have input ${index}, got none.`);
  }
  return input;
}
