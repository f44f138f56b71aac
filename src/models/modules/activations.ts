import { add, erf, mul, sigmoid } from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";

/** 1/√2 */
const ROOT_HALF = Math.SQRT1_2;

/** x·Φ(x) with the normal distribution function Φ. Source: Hendrycks & Gimpel (2016), arXiv 1606.08415. */
export function gelu(x: Value): Value {
  return mul(x, add(mul(erf(mul(x, ROOT_HALF)), 0.5), 0.5));
}

/** x·σ(x). Source: Elfwing et al. (2017), arXiv 1702.03118. */
export function silu(x: Value): Value {
  return mul(x, sigmoid(x));
}
