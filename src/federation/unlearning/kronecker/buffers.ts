import type { LayerLayout } from "../../../models/layers.ts";
import { type ErrorRecursion, errorRecursion, PLAIN_AVERAGING } from "../recursion.ts";
import type { TrainingFacts } from "../training-facts.ts";

/** The error of running statistics, which answer a deviation in a known way. */
export interface BufferRecursion extends ErrorRecursion {
  /** Where each element lies in the flat vector. */
  readonly index: Uint32Array;
}

/**
 * Running statistics forget by themselves: K local steps leave (1 − m)^K of what a round starts from, so that is their
 * exact γ. They are averages, so the server's momentum and rate do not touch them.
 *
 * @returns `undefined` when there are none, or m is not known
 */
export function bufferRecursion(
  layers: readonly LayerLayout[],
  { batchNormMomentum, localSteps }: TrainingFacts,
): BufferRecursion | undefined {
  const index = runningStatistics(layers);
  if (index.length === 0 || batchNormMomentum === undefined) return undefined;
  const decay = (1 - batchNormMomentum) ** localSteps;
  return { index, ...errorRecursion(new Float64Array(index.length), decay, PLAIN_AVERAGING) };
}

/** Where the running statistics of all normalisations lie in the flat vector. */
export function runningStatistics(layers: readonly LayerLayout[]): Uint32Array {
  const slots = layers.flatMap((layer) =>
    layer.kind === "norm" ? [layer.runningMean, layer.runningVariance] : [],
  );
  return Uint32Array.from(
    slots.flatMap((slot) =>
      slot === undefined ? [] : Array.from({ length: slot.length }, (_, i) => slot.offset + i),
    ),
  );
}
