import { LetheError } from "../kernel/errors.ts";
import { keyFromSeed } from "../kernel/key.ts";
import type { Dataset, Samples } from "./dataset.ts";
import { stratifiedSplit } from "./split.ts";

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
  const chosen = part(dataset.train, 1 - samples / dataset.train.count, "samples").train;
  const { train, test } = part(chosen, validation, "validation");
  return { train, validation: test, test: dataset.test };
}

function part(samples: Samples, fraction: number, purpose: string): { train: Samples; test: Samples } {
  if (fraction === 0) return { train: samples, test: samples.subset([]) };
  const split = stratifiedSplit(samples.labels, samples.classCount, fraction, keyFromSeed(`part ${purpose}`));
  return { train: samples.subset(split.train), test: samples.subset(split.test) };
}
