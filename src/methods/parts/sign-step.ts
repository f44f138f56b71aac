import { add, clip, div, mul, round, sub } from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";

/** How far a sign step goes and where it may end. */
export interface SignStepOptions {
  /** The length of the step in every input. */
  readonly size: number;
  /** How far the result may lie from `x` in any input. */
  readonly epsilon: number;
  /** Keep the result in [0, 1] and at multiples of 1/255, as pixels are. */
  readonly pixels: boolean;
}

/** Levels of a byte: images are rounded to what a file could hold. */
const LEVELS = 255;

/**
 * One step of a sign attack: near + size·direction, held within ±epsilon of `x`.
 *
 * @param direction - of the shape of `x`, each −1, 0 or 1
 * Source: I. Goodfellow et al., arXiv 1412.6572 (one step, FGSM); A. Madry et al., arXiv 1706.06083 (several).
 */
export function signStep(
  x: Value,
  near: Value,
  direction: Value,
  { size, epsilon, pixels }: SignStepOptions,
): Value {
  const next = add(near, mul(direction, size));
  const held = add(x, clip(sub(next, x), -epsilon, epsilon));
  return pixels ? div(round(mul(clip(held, 0, 1), LEVELS)), LEVELS) : held;
}
