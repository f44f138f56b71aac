import { anyScope, defineMetric } from "./contract.ts";
import { expectFinite, expectSameLength } from "./metric-input.ts";

/**
 * Euclidean distance ‖a − b‖₂ of two flat parameter vectors.
 *
 * @throws LETHE_DATA_SHAPE
 */
export function distance(a: Float32Array, b: Float32Array): number {
  expectSameLength("distance", { a, b });
  let sum = 0;
  for (let index = 0; index < a.length; index++) {
    const difference = (a[index] as number) - (b[index] as number);
    sum += difference * difference;
  }
  return Math.sqrt(sum);
}

/**
 * How much of the way to the retrained parameters is left: ‖unlearned − retrained‖ / ‖trained − retrained‖.
 * 0 is the retrained point, 1 no nearer than before. Not invariant to permutations of hidden units: read it beside the
 * metrics of function.
 *
 * @returns `undefined` when trained and retrained are the same point: there was no way to go
 * @throws LETHE_DATA_SHAPE, LETHE_NUMERIC_NOT_FINITE
 */
export function parameterDistance(
  unlearned: Float32Array,
  trained: Float32Array,
  retrained: Float32Array,
): number | undefined {
  for (const [name, weights] of Object.entries({ unlearned, trained, retrained }))
    expectFinite("parameter-distance", name, weights);
  const whole = distance(trained, retrained);
  return whole === 0 ? undefined : distance(unlearned, retrained) / whole;
}

/** Distance to the retrained parameters. */
export const parameterDistanceMetric = defineMetric({
  id: "parameter-distance",
  title: "Distance to the retrained parameters, relative to the original model's",
  references: [],
  scope: anyScope,
  needs: ["parameters", "original", "retrained"],
  formula: "‖w_U − w_R‖₂ / ‖w_O − w_R‖₂",
  range: "0 upwards; 0 is the retrained point, 1 no nearer than before",
  direction: "lower",
  cost: "one retraining with the same initial weights and batch order",
  guarantee: "0 means the same model; on a convex model small values bound the difference of outputs.",
  doesNotShow:
    "Much about deep models: two retrainings may lie as far apart as the original, and equal functions have many weights.",
  compute: parameterDistance,
});
