import type { RandomStream } from "../../kernel/key.ts";
import { type ImageSizes, translate } from "./translate.ts";

/** Moves an image by −most … most pixels in either direction, drawn uniformly, in place; the border is repeated. */
export function shift(image: Float32Array, sizes: ImageSizes, stream: RandomStream, most: number): void {
  const draw = (): number => stream.below(2 * most + 1) - most;
  translate(image, sizes, draw(), draw(), "border");
}
