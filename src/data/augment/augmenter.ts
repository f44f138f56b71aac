import { LetheError } from "../../kernel/errors.ts";
import { deriveKey, type Key, type RandomStream, randomStream } from "../../kernel/key.ts";
import type { Positions, Samples } from "../dataset.ts";
import { crop } from "./crop.ts";
import { flip } from "./flip.ts";
import { shift } from "./shift.ts";
import type { ImageSizes } from "./translate.ts";

/** One change of an image by chance. */
export type Augmentation =
  | { readonly id: "flip" }
  | { readonly id: "crop"; readonly pixels: number }
  | { readonly id: "shift"; readonly pixels: number };

/** How augmentations are written, for help texts and messages. */
export const AUGMENT_FORM = "flip, crop:PIXELS, shift:PIXELS, joined by commas";

/**
 * Changes the rows of a batch in place.
 *
 * @param features - [positions.length, channels, height, width]
 * @param positions - whose features they are
 * @param epoch - from 0
 */
export type Augmenter = (features: Float32Array, positions: Positions, epoch: number) => void;

/**
 * Reads augmentations such as `flip,crop:4`, which are applied in the order written.
 *
 * @throws LETHE_USAGE_AUGMENT
 */
export function parseAugmentations(text: string): readonly Augmentation[] {
  return text.split(",").map((word) => {
    const [, id, pixels] = /^([a-z]+)(?::(\d{1,4}))?$/.exec(word) ?? [];
    if (id === "flip" && pixels === undefined) return { id };
    if ((id === "crop" || id === "shift") && Number(pixels) >= 1) return { id, pixels: Number(pixels) };
    throw augmentError(`Expected ${AUGMENT_FORM} (at least 1 pixel), got \`${text}\`.`);
  });
}

/**
 * Augments samples by a key: the same sample (by its id) is changed in the same way in the same epoch, whatever batch it is in
 * and whatever other samples there are. So a model retrained without some samples sees the others as the first model did.
 *
 * @param samples - images; ids and shape are read
 * @param key - the same key gives the same changes
 * @throws LETHE_USAGE_AUGMENT for samples that are no images, or moves as large as an image
 */
export function createAugmenter(steps: readonly Augmentation[], samples: Samples, key: Key): Augmenter {
  const sizes = imageSizes(samples.featureShape);
  const smallest = Math.min(sizes[1], sizes[2]);
  for (const step of steps) {
    if (step.id === "flip" || step.pixels < smallest) continue;
    throw augmentError(`Expected \`${step.id}\` by less than ${smallest} pixels, got ${step.pixels}.`);
  }
  const length = samples.featureLength;
  return (features, positions, epoch) => {
    const epochKey = deriveKey(key, "augment", epoch);
    for (let row = 0; row < positions.length; row++) {
      const stream = randomStream(deriveKey(epochKey, samples.id(positions[row] as number)));
      const image = features.subarray(row * length, (row + 1) * length);
      for (const step of steps) apply(step, image, sizes, stream);
    }
  };
}

function apply(step: Augmentation, image: Float32Array, sizes: ImageSizes, stream: RandomStream): void {
  switch (step.id) {
    case "flip":
      flip(image, sizes, stream);
      break;
    case "crop":
      crop(image, sizes, stream, step.pixels);
      break;
    case "shift":
      shift(image, sizes, stream, step.pixels);
      break;
    default:
      step satisfies never;
  }
}

function imageSizes(shape: readonly number[]): ImageSizes {
  const [channels, height, width, ...rest] = shape;
  if (channels !== undefined && height !== undefined && width !== undefined && rest.length === 0) {
    return [channels, height, width];
  }
  throw augmentError(
    `Expected images [channels, height, width] to augment, got samples [${shape.join(", ")}].`,
  );
}

function augmentError(message: string): LetheError {
  return new LetheError("usage", "USAGE_AUGMENT", message);
}
