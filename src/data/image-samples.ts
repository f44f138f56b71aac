import { randomUUID } from "node:crypto";
import { open, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Samples } from "./dataset.ts";
import { decodeImage, type ImageShape } from "./decode-image.ts";
import { openFeatureFile } from "./feature-file.ts";
import { readBytes } from "./file.ts";
import type { ImageFolder } from "./image-folder.ts";
import { type FeatureColumn, samplesOf } from "./samples.ts";
import { categoryOf } from "./table-labels.ts";

/** How samples are made of image files. */
export interface ImageOptions extends ImageShape {
  /** The subject of an image is its file's name up to this character; left out where images are about nobody. */
  readonly subjectBefore?: string;
  /** Decoded images that take more bytes are held in a file instead of in memory. */
  readonly maxMemoryBytes: number;
}

/** The brightest value of a channel. */
const CHANNEL_MAX = 255;
/** Images decoded at a time: the decoder's own threads are few, and each image may be large. */
const CONCURRENT_IMAGES = 8;
/** A larger file is no sample. */
const MAX_IMAGE_BYTES = 64 * 2 ** 20;

/**
 * Decodes all images of a folder once. Sets of more than `maxMemoryBytes` are written to a temporary file, from which samples are
 * read as they are gathered; it vanishes with the process.
 *
 * @throws LETHE_DATA_IMAGE naming the file, and as `readBytes`
 */
export async function imageSamples(
  folder: ImageFolder,
  idPrefix: string,
  options: ImageOptions,
): Promise<Samples> {
  const { files, classNames } = folder;
  const { size, channels, subjectBefore } = options;
  const featureLength = channels * size * size;
  const isLarge = files.length * featureLength > options.maxMemoryBytes;
  const features = isLarge
    ? await decodedToFile(folder, options, featureLength)
    : await decodedToMemory(folder, options, featureLength);
  const nameBefore = (name: string, mark: string): string => name.slice(0, Math.max(0, name.indexOf(mark)));
  return samplesOf({
    idPrefix,
    featureShape: [channels, size, size],
    features,
    labels: Int32Array.from(files, ({ label }) => label),
    classCount: classNames.length,
    ...(subjectBefore === undefined
      ? {}
      : { subjects: categoryOf(files.map(({ name }) => nameBefore(name, subjectBefore))) }),
  });
}

async function decodedToMemory(
  folder: ImageFolder,
  shape: ImageShape,
  length: number,
): Promise<FeatureColumn> {
  const values = new Uint8Array(folder.files.length * length);
  let at = 0;
  for await (const pixels of decoded(folder, shape)) {
    values.set(pixels, at);
    at += length;
  }
  return { values, divisor: CHANNEL_MAX };
}

async function decodedToFile(
  folder: ImageFolder,
  shape: ImageShape,
  featureLength: number,
): Promise<FeatureColumn> {
  const path = join(tmpdir(), `lethe-images-${randomUUID()}`);
  const file = await open(path, "wx");
  try {
    for await (const pixels of decoded(folder, shape)) await file.appendFile(pixels);
    // Open until the process ends, and without a name from here on.
    return openFeatureFile({ path, count: folder.files.length, featureLength, divisor: CHANNEL_MAX });
  } finally {
    await file.close();
    await unlink(path);
  }
}

/** The images in their order, a few being decoded at a time. */
async function* decoded({ files }: ImageFolder, shape: ImageShape): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < files.length; start += CONCURRENT_IMAGES) {
    yield* await Promise.all(
      files
        .slice(start, start + CONCURRENT_IMAGES)
        .map(async ({ path }) => decodeImage(await readBytes(path, MAX_IMAGE_BYTES), path, shape)),
    );
  }
}
