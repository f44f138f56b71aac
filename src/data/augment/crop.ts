import type { RandomStream } from "../../kernel/key.ts";
import { type ImageSizes, translate } from "./translate.ts";

/**
 * Pads an image with `padding` zeros on every side and cuts one of its own size out at a place drawn uniformly, in place. That is
 * a move by −padding … padding pixels in either direction.
 *
 * Source: K. He, X. Zhang, S. Ren, J. Sun, 2015, arXiv:1512.03385, section 4.2 (4 pixels for 32 × 32).
 */
export function crop(image: Float32Array, sizes: ImageSizes, stream: RandomStream, padding: number): void {
  const draw = (): number => stream.below(2 * padding + 1) - padding;
  translate(image, sizes, draw(), draw(), "zero");
}
