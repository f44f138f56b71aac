import type { Value } from "../ir.ts";
import { add, mul, reciprocal, sqrt, square, sub } from "./elementwise.ts";
import { reduceMean, sumTo } from "./reduce.ts";

/**
 * γ·x·r with r = (mean x² + ε)^−½ over the last axis. With n = x·r and d = ȳ·γ the gradients are x̄ = (d − n·mean(d·n))·r and
 * γ̄ = Σ ȳ·n.
 *
 * @param x - […, width]
 * @param scale - γ, [width]
 * Source: Zhang & Sennrich (2019), arXiv 1910.07467.
 */
export function rmsNormalization(x: Value, scale: Value, epsilon: number): Value {
  const over = { axes: [-1], keepDims: true };
  const rate = reciprocal(sqrt(add(reduceMean(square(x), over), epsilon)));
  const normal = mul(x, rate);
  const y = mul(normal, scale);
  x.graph.compose({
    inputs: [x, scale],
    outputs: [y],
    gradient: ([dy], wanted) => {
      if (dy === undefined) return [];
      const inner = (): Value => {
        const d = mul(dy, scale);
        return mul(sub(d, mul(normal, reduceMean(mul(d, normal), over))), rate);
      };
      return [wanted[0] ? inner() : undefined, wanted[1] ? sumTo(mul(dy, normal), scale.shape) : undefined];
    },
  });
  return y;
}
