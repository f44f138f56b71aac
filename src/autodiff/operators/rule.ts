import { LetheError } from "../../kernel/errors.ts";
import type { InferContext, Value, ValueType } from "../../onnx/ir.ts";

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

/** The shape rule of an operator whose output has the type and shape of its first input. */
export function likeInput(context: InferContext): readonly ValueType[] {
  const { dtype, shape } = inputOf(context, 0);
  return [{ dtype, shape }];
}

/** Two inputs of one element type. */
export function requireSameType(a: Value, b: Value): void {
  if (a.dtype === b.dtype) return;
  throw new LetheError(
    "data",
    "DATA_DTYPE",
    `Expected inputs of one element type, got ${a.dtype} and ${b.dtype}. Put a Cast before the node.`,
  );
}
