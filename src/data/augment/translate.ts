/** [channels, height, width] of an image. */
export type ImageSizes = readonly [channels: number, height: number, width: number];

/**
 * Moves an image by whole pixels, in place: pixel (y, x) takes the value of (y − down, x − right).
 *
 * @param image - [channels, height, width]
 * @param beyond - what pixels from outside the image are: 0, or the nearest pixel at the border
 */
export function translate(
  image: Float32Array,
  [channels, height, width]: ImageSizes,
  down: number,
  right: number,
  beyond: "zero" | "border",
): void {
  const source = image.slice();
  const within = (value: number, size: number): number => Math.min(Math.max(value, 0), size - 1);
  let at = 0;
  for (let channel = 0; channel < channels; channel++) {
    const plane = channel * height * width;
    for (let y = 0; y < height; y++) {
      const fromY = within(y - down, height);
      for (let x = 0; x < width; x++) {
        const fromX = within(x - right, width);
        const isInside = fromY === y - down && fromX === x - right;
        const value = source[plane + fromY * width + fromX] as number;
        image[at++] = isInside || beyond === "border" ? value : 0;
      }
    }
  }
}
