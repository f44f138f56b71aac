import { float, int } from "../attributes.ts";
import type { Value } from "../ir.ts";
import { globalAveragePool } from "./convolution.ts";
import { div, mul, square, sub } from "./elementwise.ts";
import { countOf, reduceMean } from "./reduce.ts";
import { reshape } from "./structure.ts";

/** γ·(x − mean)/√(variance + ε) + β per channel (axis 1), with the given statistics, each [channels]. */
export const batchNormalization = (
  x: Value,
  scale: Value,
  bias: Value,
  mean: Value,
  variance: Value,
  epsilon: number,
): Value =>
  x.graph.apply("BatchNormalization", [x, scale, bias, mean, variance], { epsilon: float(epsilon) });

/** γ·(x − mean)/√(variance + ε) + β with the mean and variance over the axes from `axis` on, whose shape γ and β have. */
export const layerNormalization = (
  x: Value,
  scale: Value,
  bias: Value | undefined,
  epsilon: number,
  axis = -1,
): Value =>
  x.graph.apply("LayerNormalization", bias === undefined ? [x, scale] : [x, scale, bias], {
    epsilon: float(epsilon),
    axis: int(axis),
  });

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
 * The statistics are ordinary values of the graph, so that gradients flow through them, also the gradients of gradients. The
 * variance is taken in two passes: the one-pass form Σx²/n − mean² loses its digits where |mean| ≫ √variance.
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
  const channels = scale.shape;
  const spread = [x.shape[1] ?? 1, ...x.shape.slice(2).map(() => 1)];
  const mean = channelMean(x);
  const variance = channelMean(square(sub(x, reshape(mean, spread))));
  const count = countOf(
    x,
    x.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis])),
  );
  return {
    y: batchNormalization(x, scale, bias, reshape(mean, channels), reshape(variance, channels), epsilon),
    mean,
    variance,
    unbiasedVariance: mul(variance, div(count, sub(count, 1))),
  };
}

/** The mean per channel, [channels]. Space first: the gradient of that mean is a product, not a slow Expand of all of x. */
function channelMean(x: Value): Value {
  if (x.shape.length < 3) return reduceMean(x, { axes: [0] });
  const perSample = globalAveragePool(x); // [batch, channels, 1, …]
  return reduceMean(perSample, { axes: perSample.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis])) });
}
