import type { RandomStream } from "../../kernel/key.ts";
import type { ImageSizes } from "./translate.ts";

/** Mirrors an image from left to right, in place, in half of all cases. */
export function flip(image: Float32Array, [, , width]: ImageSizes, stream: RandomStream): void {
  if (stream.below(2) === 0) return;
  for (let row = 0; row < image.length; row += width) image.subarray(row, row + width).reverse();
}
