import type { Value } from "../ir.ts";
import { tensorOfNumbers } from "../tensor.ts";
import { add, div, mul, reciprocal, sqrt, square, sub } from "./elementwise.ts";
import { batchNormalization } from "./normalization.ts";
import { countOf, reduceSum } from "./reduce.ts";
import { reshape } from "./structure.ts";

/** What {@link batchNormalizationOwn} gives. */
export interface OwnNormalization {
  readonly y: Value;
  /** [channels] */
  readonly mean: Value;
  /** Σ(x − mean)²/n, what y was divided by; [channels]. */
  readonly variance: Value;
  /** Σ(x − mean)²/(n − 1), what running statistics average; [channels]. */
  readonly unbiasedVariance: Value;
}

/**
 * Batch normalisation in training: γ·(x − mean)/√(variance + ε) + β with the mean and variance of x itself, per channel over
 * all other axes.
 *
 * The variance is taken in two passes: the one-pass form Σx²/n − mean² loses its digits where |mean| ≫ √variance. The gradient
 * is said at once, from two sums per channel; with r = (variance + ε)^−½ and c = x − mean over n elements,
 *
 * β̄ = Σȳ, γ̄ = r·Σȳ·c, x̄ = γ·r·ȳ + k₁·c + k₀ where k₁ = (2·variancē − γ·r³·Σȳ·c)/n and k₀ = (mean̄ − γ·r·Σȳ)/n.
 *
 * @param x - [batch, channels, space…]
 * @param scale - γ, [channels]
 * @param bias - β, [channels]
 * @param epsilon - added to the variance; 1e-5 in most frameworks
 */
export function batchNormalizationOwn(
  x: Value,
  scale: Value,
  bias: Value,
  epsilon: number,
): OwnNormalization {
  const over = { axes: x.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis])) };
  const spread = (value: Value): Value => reshape(value, [x.shape[1] ?? 1, ...x.shape.slice(2).map(() => 1)]);
  const count = countOf(x, over.axes);
  const share = reciprocal(count);
  const mean = mul(reduceSum(x, over), share);
  const centred = sub(x, spread(mean));
  const variance = mul(reduceSum(square(centred), over), share);
  const [none, one] = [constants(scale, 0), constants(scale, 1)];
  const y = batchNormalization(x, scale, bias, mean, variance, epsilon);
  x.graph.compose({
    inputs: [x, scale, bias],
    outputs: [y, mean, variance],
    gradient: ([dy, dMean, dVariance], wanted) => {
      const rate = reciprocal(sqrt(add(variance, epsilon)));
      const slope = mul(scale, rate);
      const sum = dy && reduceSum(dy, over);
      const along = dy && reduceSum(mul(dy, centred), over);
      const perElement = (): Value | undefined => {
        const k0 = total(dMean, sum && mul(mul(slope, sum), -1));
        const k1 = total(
          dVariance && mul(dVariance, 2),
          along && mul(mul(mul(slope, square(rate)), along), -1),
        );
        // Given statistics 0 and 1, the operator is one pass of factor and shift.
        const line = batchNormalization(
          centred,
          k1 === undefined ? none : mul(k1, share),
          k0 === undefined ? none : mul(k0, share),
          none,
          one,
          0,
        );
        return dy === undefined ? line : add(mul(dy, spread(slope)), line);
      };
      return [wanted[0] ? perElement() : undefined, wanted[1] ? along && mul(along, rate) : undefined, sum];
    },
  });
  return { y, mean, variance, unbiasedVariance: mul(variance, div(count, sub(count, 1))) };
}

function total(a: Value | undefined, b: Value | undefined): Value | undefined {
  return a !== undefined && b !== undefined ? add(a, b) : (a ?? b);
}

/** A constant of a value's shape, [channels], and type. */
function constants(like: Value, fill: number): Value {
  const [channels] = like.shape as readonly [number];
  return like.graph.constant(tensorOfNumbers(like.dtype, [channels], new Array<number>(channels).fill(fill)));
}
