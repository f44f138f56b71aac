import { LetheError } from "../kernel/errors.ts";
import { keyFromSeed } from "../kernel/key.ts";
import type { Dataset, Samples } from "./dataset.ts";
import { type Normaliser, normalised } from "./normaliser.ts";
import { type Split, stratifiedSplit } from "./split.ts";

/** How a dataset is divided for training. */
export interface PartSizes {
  /** Take about this many of the training samples, the same share of every class; all when left out. */
  readonly samples?: number | undefined;
  /** Share of those kept from training for tuning and stopping rules, in [0, 1). */
  readonly validation: number;
}

/** What a run trains on, tunes on and is judged by. No sample is in two parts. */
export interface DataParts {
  readonly train: Samples;
  /** Where the samples of `train` lie in the dataset's training part. */
  readonly trainPositions: Uint32Array;
  /** Held out from training: tuning and stopping rules may see it. */
  readonly validation: Samples;
  /** For the final figures alone. */
  readonly test: Samples;
}

/**
 * Divides the training samples of a dataset, stratified by class; the test part stays as it is. The division depends on
 * the sizes alone, not on a seed: no model is ever tuned on samples another command trained it on.
 *
 * @throws LETHE_USAGE_PARTS for sizes the dataset cannot give
 */
export function divideDataset(dataset: Dataset, sizes: PartSizes): DataParts {
  const { samples = dataset.train.count, validation } = sizes;
  if (!Number.isSafeInteger(samples) || samples < 1 || samples > dataset.train.count) {
    throw new LetheError(
      "usage",
      "USAGE_PARTS",
      `Expected 1 to ${dataset.train.count} training samples of ${dataset.id}, got ${samples}.`,
    );
  }
  if (!(validation >= 0 && validation < 1)) {
    throw new LetheError(
      "usage",
      "USAGE_PARTS",
      `Expected a share of validation samples in [0, 1), got ${validation}. Give a fraction, not a percentage.`,
    );
  }
  const all = Uint32Array.from(dataset.train.labels, (_, position) => position);
  const chosen = partOf(dataset.train, all, 1 - samples / dataset.train.count, "samples").train;
  const { train, test } = partOf(dataset.train, chosen, validation, "validation");
  return {
    train: train.length === all.length ? dataset.train : dataset.train.subset(train),
    trainPositions: train,
    validation: dataset.train.subset(test),
    test: dataset.test,
  };
}

/** The parts with features scaled by a normaliser that saw the training part alone. */
export function normalisedParts(parts: DataParts, normaliser: Normaliser): DataParts {
  return {
    ...parts,
    train: normalised(parts.train, normaliser),
    validation: normalised(parts.validation, normaliser),
    test: normalised(parts.test, normaliser),
  };
}

/** Divides positions of samples, stratified by class. */
function partOf(samples: Samples, positions: Uint32Array, fraction: number, purpose: string): Split {
  if (fraction === 0) return { train: positions, test: new Uint32Array(0) };
  const labels = Int32Array.from(positions, (position) => samples.labels[position] as number);
  const split = stratifiedSplit(labels, samples.classCount, fraction, keyFromSeed(`part ${purpose}`));
  const at = (index: number): number => positions[index] as number;
  return { train: split.train.map(at), test: split.test.map(at) };
}
