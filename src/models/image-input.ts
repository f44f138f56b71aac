import { LetheError } from "../kernel/errors.ts";

/** Sizes of an image. */
export interface ImageSizes {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/**
 * The sizes of images [channels, height, width] that a model of that name can be made for.
 *
 * @param least - the smallest side the model leaves something of; 1 when left out
 * @throws LETHE_USAGE_MODEL for samples of another form, and for smaller images
 */
export function imageSizes(inputShape: readonly number[], id: string, least = 1): ImageSizes {
  const [channels, height, width] = inputShape;
  if (channels === undefined || height === undefined || width === undefined || inputShape.length !== 3) {
    throw new LetheError(
      "usage",
      "USAGE_MODEL",
      `Expected images [channels, height, width] for model \`${id}\`, got samples of shape [${inputShape}]. Use an mlp.`,
    );
  }
  if (height < least || width < least) throw tooSmall(id, height, width);
  return { channels, height, width };
}

/** What is wrong with images a model leaves nothing of. */
export function tooSmall(id: string, height: number, width: number): LetheError {
  return new LetheError(
    "usage",
    "USAGE_MODEL",
    `Expected larger images for model \`${id}\`, got ${height}×${width}.`,
  );
}
