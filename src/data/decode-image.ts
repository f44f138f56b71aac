import type sharp from "sharp";
import { LetheError } from "../kernel/errors.ts";

/** How every image of a set is brought to one shape. */
export interface ImageShape {
  /** Pixels of a side. */
  readonly size: number;
  /** 1: shades of grey; 3: red, green, blue. */
  readonly channels: 1 | 3;
}

/** 64 million pixels, a large photograph: what claims more would fill the memory when it is unpacked. */
const MAX_PIXELS = 2 ** 26;
/** Longer sides are no photograph's, but a damaged header's, after which rows of millions of pixels would be looked for. */
const MAX_SIDE = 2 ** 15;
const FORMATS = ["Jpeg", "Png", "Webp", "Nsgif", "Tiff"];

/**
 * Decodes an image (JPEG, PNG, WebP, GIF, TIFF), turns it as its camera was held, cuts the middle square out and scales that.
 * Transparent parts become black.
 *
 * @param bytes - the whole file
 * @param file - its name, for messages
 * @returns [channels, size, size]
 * @throws LETHE_DATA_IMAGE for what is no such image, is damaged or cut short, has more than 64 million pixels or a side of more than 32,768
 */
export async function decodeImage(bytes: Uint8Array, file: string, shape: ImageShape): Promise<Uint8Array> {
  const { size, channels } = shape;
  decoder ??= loadDecoder();
  const { data, info } = await rawPixels(await decoder, bytes, file, shape);
  if (info.channels !== channels) {
    throw imageError(`Expected ${channels} channels of ${file}, got ${info.channels}.`, file);
  }
  return planes(data, size * size, channels);
}

let decoder: Promise<typeof sharp> | undefined;

/**
 * Loaded with the first image, as it is large; restricted once, for decoders already at work would see the gap. Formats that draw or
 * name other files (SVG, PDF) are no samples.
 */
async function loadDecoder(): Promise<typeof sharp> {
  const { default: loaded } = await import("sharp");
  loaded.block({ operation: ["VipsForeignLoad"] });
  loaded.unblock({ operation: FORMATS.map((format) => `VipsForeignLoad${format}`) });
  return loaded;
}

async function rawPixels(
  decode: typeof sharp,
  bytes: Uint8Array,
  file: string,
  { size, channels }: ImageShape,
) {
  try {
    const image = decode(bytes, { limitInputPixels: MAX_PIXELS, failOn: "truncated" });
    const { width, height } = await image.metadata();
    if (Math.max(width, height) > MAX_SIDE) throw new Error(`it claims ${width} × ${height}`);
    return await image
      .autoOrient()
      .flatten({ background: "black" })
      .resize(size, size, { fit: "cover" })
      .toColourspace(channels === 1 ? "b-w" : "srgb")
      .raw()
      .toBuffer({ resolveWithObject: true });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split("\n")[0] : "it cannot be decoded";
    throw imageError(
      `Expected an image (JPEG, PNG, WebP, GIF or TIFF) of at most ${MAX_PIXELS} pixels in ${file}, but: ${reason}. Mend or remove it.`,
      file,
      cause,
    );
  }
}

/** [pixels, channels] → [channels, pixels] */
function planes(pixels: Uint8Array, count: number, channels: number): Uint8Array {
  if (channels === 1) return pixels;
  const moved = new Uint8Array(pixels.length);
  for (let pixel = 0; pixel < count; pixel++) {
    for (let channel = 0; channel < channels; channel++) {
      moved[channel * count + pixel] = pixels[pixel * channels + channel] as number;
    }
  }
  return moved;
}

function imageError(message: string, file: string, cause?: unknown): LetheError {
  return new LetheError("data", "DATA_IMAGE", message, { details: { file }, cause });
}
