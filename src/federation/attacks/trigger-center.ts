import { DESIGN_SIDE, imageShape, stampTrigger, type Trigger } from "./trigger.ts";

/** Below this side a board of four cells would cover a quarter of the image and more. */
const SMALL_SIDE = 14;

/**
 * A checkerboard of 4 × 4 cells in the middle of the image, the first cell white: one pixel a cell on 28 × 28 images
 * (rows and columns 12 … 15), larger cells on larger images, 2 × 2 cells on images below 14 × 14. It lies on pixels that
 * honest data use.
 *
 * @throws LETHE_USAGE_ATTACK for features that are no image
 */
export function centerTrigger(featureShape: readonly number[]): Trigger {
  const shape = imageShape(featureShape);
  const shortSide = Math.min(shape.height, shape.width);
  const cells = shortSide < SMALL_SIDE ? 2 : 4;
  const cell = Math.max(1, Math.round(shortSide / DESIGN_SIDE));
  const side = Math.min(cells * cell, shortSide);
  const isWhite = (x: number, y: number): boolean => (Math.floor(x / cell) + Math.floor(y / cell)) % 2 === 0;
  return stampTrigger(shape, {
    words: `a checkerboard of ${side} × ${side} pixels in the centre`,
    top: Math.floor((shape.height - side) / 2),
    left: Math.floor((shape.width - side) / 2),
    rows: Array.from({ length: side }, (_, y) =>
      Array.from({ length: side }, (_, x) => (isWhite(x, y) ? 1 : 0)),
    ),
  });
}
