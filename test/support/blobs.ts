import type { Dataset, Samples } from "../../src/data/dataset.ts";
import { samplesOf } from "../../src/data/samples.ts";
import { deriveKey, keyFromSeed, randomStream } from "../../src/kernel/key.ts";
import { sizeOf } from "../../src/kernel/layout.ts";

/** How the classes of {@link blobs} look. */
export interface BlobOptions {
  readonly count: number;
  readonly featureShape: readonly number[];
  readonly classes: number;
  /** Decides the samples; the classes' centres depend on the shape alone, so that parts with other seeds go together. */
  readonly seed: number;
  /** Standard deviation around the centre. */
  readonly spread?: number;
}

/** Samples in [0, 1] around one random centre per class; labels in turn. */
export function blobs({ count, featureShape, classes, seed, spread = 0.15 }: BlobOptions): Samples {
  const width = sizeOf(featureShape);
  const centreStream = randomStream(deriveKey(keyFromSeed(0), "centres", width));
  const centres = Float32Array.from({ length: classes * width }, () => centreStream.uniform());
  const stream = randomStream(deriveKey(keyFromSeed(seed), "samples"));
  const labels = Int32Array.from({ length: count }, (_, row) => row % classes);
  const values = Float32Array.from({ length: count * width }, (_, at) => {
    const centre = centres[(Math.floor(at / width) % classes) * width + (at % width)] as number;
    return Math.min(1, Math.max(0, centre + spread * stream.normal()));
  });
  return samplesOf({
    idPrefix: `blobs-${seed}`,
    featureShape,
    features: { values },
    labels,
    classCount: classes,
  });
}

/** A dataset of {@link blobs} with a test part of its own. */
export function blobDataset(
  options: Omit<BlobOptions, "count" | "seed"> & { readonly train: number; readonly test: number },
): Dataset {
  const { train, test, ...rest } = options;
  return {
    id: "blobs",
    title: "Blobs",
    licence: "made in the test",
    classNames: Array.from({ length: options.classes }, (_, label) => String(label)),
    featureShape: options.featureShape,
    train: blobs({ ...rest, count: train, seed: 1 }),
    test: blobs({ ...rest, count: test, seed: 2 }),
  };
}
