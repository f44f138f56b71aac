import { LetheError } from "../../kernel/errors.ts";
import type { LayerLayout } from "../../models/layers.ts";

/**
 * A running variance never falls below this share of the trained one: an extrapolated variance may come out negative,
 * and one near zero multiplies a channel without bound. A tenth is a safe choice, not a measured one.
 */
const VARIANCE_FLOOR_FRACTION = 0.1;

/**
 * w′ = w_T − e, with running variances floored.
 *
 * @returns the new weights and how many running variances met the floor
 * @throws LETHE_NUMERIC_NOT_FINITE
 */
export function subtractError(
  finalWeights: Float32Array,
  error: ArrayLike<number>,
  layers: readonly LayerLayout[],
): { readonly weights: Float32Array; readonly flooredVariances: number } {
  const weights = finalWeights.map((weight, i) => weight - (error[i] as number));
  let flooredVariances = 0;
  for (const layer of layers) {
    if (layer.kind !== "norm" || layer.runningVariance === undefined) continue;
    const { offset, length } = layer.runningVariance;
    for (let i = offset; i < offset + length; i++) {
      const floor = VARIANCE_FLOOR_FRACTION * (finalWeights[i] as number);
      if ((weights[i] as number) >= floor) continue;
      weights[i] = floor;
      flooredVariances++;
    }
  }
  const position = weights.findIndex((weight) => !Number.isFinite(weight));
  if (position >= 0) {
    throw new LetheError(
      "numeric",
      "NUMERIC_NOT_FINITE",
      `Expected finite weights after unlearning, got ${weights[position]} at element ${position}. ` +
        "The history's updates are too large for float32: check their scale.",
    );
  }
  return { weights, flooredVariances };
}
