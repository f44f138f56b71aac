import { LetheError } from "../kernel/errors.ts";
import type { Dataset, Samples } from "./dataset.ts";
import type { IdxArray } from "./idx.ts";
import { samplesOf } from "./samples.ts";

/** Images and labels of one part, with the names of their files for messages. */
export interface IdxPart {
  readonly images: IdxArray;
  readonly labels: IdxArray;
  readonly imagesFile: string;
  readonly labelsFile: string;
}

/** The brightest pixel of an image of bytes. */
const PIXEL_MAX = 255;

/**
 * Joins the arrays of a training and a test part to a dataset of images in [0, 1].
 *
 * @param parts.classNames - default: the numbers 0 … largest training label
 * @throws LETHE_DATA_SIZE when counts or image shapes disagree · LETHE_DATA_LABEL for a label without a class ·
 * LETHE_DATA_ONE_CLASS
 */
export function idxDataset(
  parts: Pick<Dataset, "id" | "title" | "licence"> & {
    readonly classNames?: readonly string[];
    readonly train: IdxPart;
    readonly test: IdxPart;
  },
): Dataset {
  const { id, title, licence, train, test } = parts;
  const classNames = parts.classNames ?? numbersUpTo(train.labels.values);
  const trainSamples = samplesOfPart(train, `${id}/train`, classNames.length);
  const testSamples = samplesOfPart(test, `${id}/test`, classNames.length);
  if (trainSamples.featureShape.join() !== testSamples.featureShape.join()) {
    throw sizeError(
      `Expected test images of shape ${trainSamples.featureShape.join(" × ")} as in ${train.imagesFile}, got ${testSamples.featureShape.join(" × ")} in ${test.imagesFile}.`,
      test.imagesFile,
    );
  }
  return Object.freeze({
    id,
    title,
    licence,
    classNames,
    featureShape: trainSamples.featureShape,
    train: trainSamples,
    test: testSamples,
  });
}

function samplesOfPart(part: IdxPart, idPrefix: string, classCount: number): Samples {
  const { images, labels, imagesFile, labelsFile } = part;
  const [imageCount, ...shape] = images.shape;
  if (labels.shape.length !== 1) {
    throw sizeError(
      `Expected labels in one dimension, got ${labels.shape.join(" × ")} in ${labelsFile}. Are images and labels exchanged?`,
      labelsFile,
    );
  }
  if (shape.length === 0) {
    throw sizeError(`Expected images of at least two dimensions, got one in ${imagesFile}.`, imagesFile);
  }
  if (imageCount !== labels.values.length) {
    throw sizeError(
      `Expected as many labels as images: ${imagesFile} holds ${imageCount} images, ${labelsFile} ${labels.values.length} labels.`,
      labelsFile,
    );
  }
  requireLabels(labels, labelsFile, classCount);
  return samplesOf({
    idPrefix,
    // [height, width] is an image of one channel.
    featureShape: shape.length === 2 ? [1, ...shape] : shape,
    features: { values: images.values, divisor: PIXEL_MAX },
    labels: Int32Array.from(labels.values),
    classCount,
  });
}

function requireLabels(labels: IdxArray, file: string, classCount: number): void {
  if (classCount < 2) {
    throw new LetheError("data", "DATA_ONE_CLASS", `Expected at least two classes, got one in ${file}.`, {
      details: { file },
    });
  }
  const wrong = labels.values.findIndex((label) => label >= classCount);
  if (wrong < 0) return;
  // The header of a file of labels is 8 bytes.
  const offset = 8 + wrong;
  throw new LetheError(
    "data",
    "DATA_LABEL",
    `Expected labels in 0 … ${classCount - 1}, got ${labels.values[wrong]} at offset ${offset} of ${file}.`,
    { details: { file, offset, classes: classCount } },
  );
}

function numbersUpTo(labels: Uint8Array): readonly string[] {
  const largest = labels.reduce((max, label) => Math.max(max, label), 0);
  return Array.from({ length: largest + 1 }, (_, label) => String(label));
}

function sizeError(message: string, file: string): LetheError {
  return new LetheError("data", "DATA_SIZE", message, { details: { file } });
}
