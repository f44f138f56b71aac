import type { Operator } from "../../onnx/ir.ts";
import { broadcastType, staircase } from "./elementwise-rule.ts";

/** A comparison or connective: a boolean result without a derivative. */
const truth = (type: string): Operator => ({
  type,
  isPiecewiseConstant: true,
  infer: (context) => [{ ...broadcastType(context), dtype: "bool" }],
});

/** Comparisons and connectives, element by element with broadcasting. */
export const logicOperators: readonly Operator[] = [
  truth("Equal"),
  truth("Greater"),
  truth("GreaterOrEqual"),
  truth("Less"),
  truth("LessOrEqual"),
  truth("And"),
  truth("Or"),
  truth("Xor"),
  truth("IsNaN"),
  truth("IsInf"),
  staircase("Not"),
];
