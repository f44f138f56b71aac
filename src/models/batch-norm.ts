import { add, batchNormalization, batchNormalizationOwn, mul } from "../onnx/functions/index.ts";
import type { Value } from "../onnx/ir.ts";
import type { Mode, WeightSpec } from "./architecture.ts";
import { buffer, filled } from "./initializers.ts";

/** Share of a batch's statistics in the running ones, and the variance added for stability: PyTorch's defaults. */
export const BATCH_NORM_MOMENTUM = 0.1;
const EPSILON = 1e-5;

/** The tensors of one batch normalisation over `channels`. */
export function batchNormWeights(name: string, channels: number): WeightSpec[] {
  return [
    filled(`${name}.scale`, [channels], 1),
    filled(`${name}.shift`, [channels], 0),
    buffer(`${name}.mean`, [channels], 0),
    buffer(`${name}.variance`, [channels], 1),
  ];
}

/**
 * Batch normalisation per channel. In training with the batch's own statistics, and the running ones move by
 * r ← (1 − m)·r + m·statistic (unbiased variance); in use with the running ones.
 *
 * @param x - [batch, channels, …]
 * @param nextBuffers - receives the running statistics after this batch
 */
export function batchNorm(
  x: Value,
  name: string,
  weightOf: (name: string) => Value,
  mode: Mode,
  nextBuffers: Map<string, Value>,
): Value {
  const [scale, shift] = [weightOf(`${name}.scale`), weightOf(`${name}.shift`)];
  const [mean, variance] = [weightOf(`${name}.mean`), weightOf(`${name}.variance`)];
  // Statistics that are constants belong to a frozen one, which goes on as it is used.
  if (mode === "inference" || mean.constant !== undefined)
    return batchNormalization(x, scale, shift, mean, variance, EPSILON);
  const batch = batchNormalizationOwn(x, scale, shift, EPSILON);
  nextBuffers.set(`${name}.mean`, moveStatistic(mean, batch.mean, BATCH_NORM_MOMENTUM));
  nextBuffers.set(`${name}.variance`, moveStatistic(variance, batch.unbiasedVariance, BATCH_NORM_MOMENTUM));
  return batch.y;
}

/** A running statistic after one more batch: (1 − m)·running + m·statistic. */
export function moveStatistic(running: Value, statistic: Value, momentum: number): Value {
  return add(mul(running, 1 - momentum), mul(statistic, momentum));
}
