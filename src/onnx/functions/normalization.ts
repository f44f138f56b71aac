import { float, int } from "../attributes.ts";
import type { Value } from "../ir.ts";

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
