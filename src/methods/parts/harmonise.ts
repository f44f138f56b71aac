import { add, div, maximum, mul, neg, reduceSum, relu, sqrt, sub } from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";
import type { ParameterValues } from "../../training/objective-context.ts";

/** Which of two conflicting gradients gives way. */
export type Harmony = "one-sided" | "mutual" | "none";

/** Two gradients that do not conflict, and how they stood before. */
export interface Harmonised {
  readonly retain: ParameterValues;
  readonly forget: ParameterValues;
  /** Scalars: of the gradients as they came. */
  readonly cosine: Value;
  readonly retainNorm: Value;
  readonly forgetNorm: Value;
}

/** Keeps quotients by the norm of a zero gradient finite; far below the square of any gradient that moves a weight. */
const LEAST_SQUARE = 1e-30;

/**
 * Takes out of the forget gradient what works against the retain gradient, over all parameters together: where ⟨g_f, g_r⟩ < 0,
 *
 *   g_f ← g_f − (⟨g_f, g_r⟩ / ‖g_r‖²)·g_r,   and with `mutual` also  g_r ← g_r − (⟨g_r, g_f⟩ / ‖g_f‖²)·g_f
 *
 * with the gradients as they came on the right.
 *
 * @param retain - g_r by parameter name
 * @param forget - g_f, the same names
 * Sources: M. H. Huang, L. G. Foo, J. Liu, arXiv 2407.10494 (gradient harmonisation); T. Yu et al., arXiv 2001.06782 (mutual).
 */
export function harmonise(retain: ParameterValues, forget: ParameterValues, harmony: Harmony): Harmonised {
  const inner = innerProduct(retain, forget);
  const [retainSquare, forgetSquare] = [innerProduct(retain, retain), innerProduct(forget, forget)];
  const conflict = neg(relu(neg(inner)));
  const facts = {
    cosine: div(inner, sqrt(maximum(mul(retainSquare, forgetSquare), LEAST_SQUARE))),
    retainNorm: sqrt(retainSquare),
    forgetNorm: sqrt(forgetSquare),
  };
  const given = { retain, forget, ...facts };
  if (harmony === "none") return given;
  const yielding = { ...given, forget: without(forget, retain, conflict, retainSquare) };
  if (harmony === "one-sided") return yielding;
  return { ...yielding, retain: without(retain, forget, conflict, forgetSquare) };
}

function without(own: ParameterValues, other: ParameterValues, conflict: Value, otherSquare: Value) {
  const share = div(conflict, maximum(otherSquare, LEAST_SQUARE));
  return new Map([...own].map(([name, value]) => [name, sub(value, mul(other.get(name) as Value, share))]));
}

function innerProduct(a: ParameterValues, b: ParameterValues): Value {
  return [...a].map(([name, value]) => reduceSum(mul(value, b.get(name) as Value))).reduce(add);
}
