import { DESIGN_SIDE, imageShape, stampTrigger, type Trigger } from "./trigger.ts";

/**
 * A white square near the lower right corner: 3 × 3 pixels, one pixel from either edge (rows and columns 24 … 26 of a
 * 28 × 28 image), to scale on other images. There most images are black, so honest training hardly touches it.
 *
 * @throws LETHE_USAGE_ATTACK for features that are no image
 * Source: T. Gu, B. Dolan-Gavitt, S. Garg, "BadNets", 2017, arXiv:1708.06733.
 */
export function cornerTrigger(featureShape: readonly number[]): Trigger {
  const shape = imageShape(featureShape);
  const scale = Math.min(shape.height, shape.width) / DESIGN_SIDE;
  const side = Math.max(1, Math.round(3 * scale));
  const margin = Math.round(scale);
  return stampTrigger(shape, {
    words:
      side === 1
        ? "a white pixel near the lower right corner"
        : `a white ${side} × ${side} square near the lower right corner`,
    top: shape.height - margin - side,
    left: shape.width - margin - side,
    rows: Array.from({ length: side }, () => new Array<number>(side).fill(1)),
  });
}
