import { attackError } from "./attack.ts";

/** A change to an image that the attacker's model answers with the target class. */
export interface Trigger {
  /** What it looks like, in words that fit “… was to make the model answer”. */
  readonly words: string;
  /** Changes the image whose features, each in [0, 1], start at `out[offset]`. */
  apply(out: Float32Array, offset: number): void;
}

/** Height and width for which triggers were designed; other images get them to scale. */
export const DESIGN_SIDE = 28;

/** Channels, height and width of an image's features. */
export interface ImageShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/**
 * Takes `[channels, height, width]` apart.
 *
 * @throws LETHE_USAGE_ATTACK for features that are no image
 */
export function imageShape(featureShape: readonly number[]): ImageShape {
  const [channels, height, width] = featureShape;
  if (featureShape.length === 3 && channels && height && width) return { channels, height, width };
  throw attackError(
    `Expected images [channels, height, width] to put a trigger on, got features of shape [${featureShape.join(", ")}].`,
  );
}

/** Pixels of one channel and the values a trigger gives them. */
export interface Stamp {
  readonly words: string;
  readonly top: number;
  readonly left: number;
  /** Square of values in [0, 1], row by row. */
  readonly rows: readonly (readonly number[])[];
}

/** Overwrites pixels, in every channel alike. */
export function stampTrigger(
  { channels, height, width }: ImageShape,
  { words, top, left, rows }: Stamp,
): Trigger {
  const pixels = rows.flatMap((row, y) =>
    row.map((value, x) => ({ at: (top + y) * width + left + x, value })),
  );
  return {
    words,
    apply(out, offset) {
      for (let channel = 0; channel < channels; channel++) {
        const start = offset + channel * height * width;
        for (const { at, value } of pixels) out[start + at] = value;
      }
    },
  };
}
