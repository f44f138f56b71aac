import { add } from "../../onnx/functions/index.ts";
import type { InferContext, Value } from "../../onnx/ir.ts";
import { inputOf } from "./rule.ts";

/** ε of ONNX Runtime's normalisations of a skip connection where the node names none. */
export const SKIP_EPSILON = 1e-12;

/** x + skip, and + bias where there is one: what those normalisations normalise. */
export function skipSum(context: InferContext, biasIndex: number): Value {
  const skip = add(inputOf(context, 0), inputOf(context, 1));
  const bias = context.inputs[biasIndex];
  return bias === undefined ? skip : add(skip, bias);
}
