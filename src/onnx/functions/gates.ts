import type { Value } from "../ir.ts";
import { add, erf, exp, hardSigmoid, mul, neg, sigmoid, square, sub } from "./elementwise.ts";

/** 1/√π */
const ROOT_PI_INVERSE = 1 / Math.sqrt(Math.PI);

/**
 * x·Φ(x) with the normal distribution function Φ. The gradient is ȳ·(Φ(x) + t·e^(−t²)/√π), t = x/√2.
 * Source: Hendrycks & Gimpel (2016), arXiv 1606.08415.
 */
export function gelu(x: Value): Value {
  const t = mul(x, Math.SQRT1_2);
  // ½ + ½·erf t, which lies between 0 and 1: one pass in place of two.
  const below = hardSigmoid(erf(t), 0.5, 0.5);
  const y = mul(x, below);
  return withSlope(x, y, () => add(below, mul(mul(t, exp(neg(square(t)))), ROOT_PI_INVERSE)));
}

/** x·σ(x). The gradient is ȳ·(σ + y − y·σ). Source: Elfwing et al. (2017), arXiv 1702.03118. */
export function silu(x: Value): Value {
  const gate = sigmoid(x);
  const y = mul(x, gate);
  return withSlope(x, y, () => add(gate, mul(y, sub(1, gate))));
}

function withSlope(x: Value, y: Value, slope: () => Value): Value {
  x.graph.compose({
    inputs: [x],
    outputs: [y],
    gradient: ([dy]) => [dy && mul(dy, slope())],
  });
  return y;
}
