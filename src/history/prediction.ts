import type { ModelLayout } from "../kernel/layout.ts";

/** Weights are multiples of a sixteenth, up to 1: a finer one changes the size by less than a thousandth. */
export const WEIGHT_PARTS = 16;
/** Share of an update's energy that prediction has to take away, or the record stands by itself. */
const LEAST_GAIN = 0.1;

/** What a record is predicted from. */
export interface Prediction {
  /** [layout.length] decoded earlier update of the same client. */
  readonly update: Float32Array;
  /** Multiple of 1/16 in (0, 1]. */
  readonly weight: number;
}

/**
 * The weight ρ that makes ‖h − ρ r‖ least, on its grid, for an update h and the client's earlier decoded one r.
 *
 * @returns undefined where prediction takes away less than a tenth of ‖h‖²
 */
export function weightOf(
  update: Float32Array,
  reference: Float32Array,
  { parameterLength }: ModelLayout,
): number | undefined {
  let [products, squares, energy] = [0, 0, 0];
  for (let index = 0; index < parameterLength; index++) {
    const [h, r] = [update[index] as number, reference[index] as number];
    products += h * r;
    squares += r * r;
    energy += h * h;
  }
  const parts = Math.min(WEIGHT_PARTS, Math.floor((WEIGHT_PARTS * products) / squares + 0.5));
  // NaN where the reference is zero.
  if (!(parts > 0)) return undefined;
  const weight = parts / WEIGHT_PARTS;
  const left = energy - 2 * weight * products + weight * weight * squares;
  return left < (1 - LEAST_GAIN) * energy ? weight : undefined;
}

/**
 * h − ρ r, or back: what is coded instead of an update that resembles the client's earlier one.
 *
 * @param values - [layout.length], parameters are replaced, rounded to single precision once
 */
export function predict(
  values: Float32Array,
  { update, weight }: Prediction,
  { parameterLength }: ModelLayout,
  direction: "there" | "back",
): void {
  const signed = direction === "there" ? -weight : weight;
  for (let index = 0; index < parameterLength; index++) {
    values[index] = (values[index] as number) + signed * (update[index] as number) + 0;
  }
}
