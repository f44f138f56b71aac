import type { Operator } from "../../onnx/ir.ts";
import { OWN_DOMAIN } from "../../onnx/operator.ts";
import { likeInput } from "./rule.ts";

/** y = x, counted as a constant by differentiation. In a file it is the identity. */
export const stopGradientOperators: readonly Operator[] = [
  { type: "StopGradient", domain: OWN_DOMAIN, isPiecewiseConstant: true, infer: likeInput },
];
