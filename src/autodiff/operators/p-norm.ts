import { abs, equal, pow, reciprocal, sqrt, square, where } from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";

/** |x|ᵖ, element by element: what a p-norm sums. */
export function magnitudePower(x: Value, p: number): Value {
  if (p === 1) return abs(x);
  return p === 2 ? square(x) : pow(abs(x), p);
}

/**
 * The p-th root of sums of magnitudes, with derivative 0 where the sum is 0: a norm has no gradient there, and its kink takes the
 * flat one.
 */
export function normRoot(sum: Value, p: number): Value {
  if (p === 1) return sum;
  const isZero = equal(sum, 0);
  const base = where(isZero, 1, sum);
  return where(isZero, 0, p === 2 ? sqrt(base) : pow(base, 1 / p));
}

/** 1/norm, and 0 where the norm is 0. */
export function safeInverse(norm: Value): Value {
  const isZero = equal(norm, 0);
  return where(isZero, 0, reciprocal(where(isZero, 1, norm)));
}
