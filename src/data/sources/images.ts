import { basename } from "node:path";
import { parseDatasetArgument, testFractionOf } from "../dataset-argument.ts";
import { listImages } from "../image-folder.ts";
import type { ImageOptions } from "../image-samples.ts";
import { type DatasetSource, splitKeyOf } from "../source.ts";
import { requireTestPart, stratifiedSplit } from "../split.ts";

const FORM = "images:DIR?size=32&channels=3&subject=CHARACTER&test=0.2";
/** The side of CIFAR's images, for which the ready architectures are made. */
const DEFAULT_SIZE = "32";
const MAX_SIZE = 512;
/** A gigabyte: more is held on disk. */
const MAX_MEMORY_BYTES = 2 ** 30;

/** The user's own pictures. */
export const images: DatasetSource = {
  id: "images",
  form: FORM,
  title:
    "Image files, a sub-folder for each class (below train and test, or split here); subject: the file's name up to a character",
  paper: "JPEG, PNG, WebP, GIF, TIFF",
  licence: "the user's own",
  availability: async () => ({ available: true }),
  async load(text, options) {
    const argument = parseDatasetArgument(text, FORM, { single: ["size", "channels", "subject", "test"] });
    const { path: directory, one, fault } = argument;
    const size = Number(one("size") ?? DEFAULT_SIZE);
    if (!Number.isInteger(size) || size < 1 || size > MAX_SIZE) {
      throw fault(`Expected a size of 1 … ${MAX_SIZE} pixels, got \`${one("size")}\``);
    }
    const channels = Number(one("channels") ?? "3");
    if (channels !== 1 && channels !== 3) throw fault(`Expected 1 or 3 channels, got \`${one("channels")}\``);
    const subjectBefore = one("subject");
    if (subjectBefore === "")
      throw fault("Expected the character before which a file names its subject, got none");
    const testFraction = testFractionOf(argument);

    const shape: ImageOptions = {
      size,
      channels,
      ...(subjectBefore === undefined ? {} : { subjectBefore }),
      maxMemoryBytes: MAX_MEMORY_BYTES,
    };
    const { train, test } = await listImages(directory);
    // Loaded when needed: the decoder is native code, which not every machine has.
    const { imageSamples } = await import("../image-samples.ts");
    const { classNames } = train;
    const id = `images:${basename(directory)}`;
    const dataset = {
      id,
      title: `Images of ${basename(directory)}`,
      licence: images.licence,
      classNames,
      featureShape: [channels, size, size],
    };
    if (test) {
      return Object.freeze({
        ...dataset,
        train: await imageSamples(train, `${id}/train`, shape),
        test: await imageSamples(test, `${id}/test`, shape),
      });
    }
    const samples = await imageSamples(train, id, shape);
    const split = stratifiedSplit(samples.labels, classNames.length, testFraction, splitKeyOf(options));
    requireTestPart(split, directory);
    return Object.freeze({
      ...dataset,
      train: samples.subset(split.train),
      test: samples.subset(split.test),
    });
  },
};
