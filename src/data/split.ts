import { LetheError } from "../kernel/errors.ts";
import { deriveKey, type Key, randomStream } from "../kernel/key.ts";
import { positionsByLabel } from "./view.ts";

/** Ascending positions of the two parts of a split. */
export interface Split {
  readonly train: Uint32Array;
  readonly test: Uint32Array;
}

/**
 * Splits samples at random so that every class is divided alike: of the n_c samples of class c,
 * min(round(testFraction · n_c), n_c − 1) go to the test part. So no class is missing from training.
 *
 * @param labels - in 0 … classCount − 1
 * @param testFraction - in (0, 1)
 * @param key - the same key gives the same split
 */
export function stratifiedSplit(
  labels: Int32Array,
  classCount: number,
  testFraction: number,
  key: Key,
): Split {
  const isTest = new Uint8Array(labels.length);
  positionsByLabel(labels, classCount).forEach((positions, label) => {
    const testCount = Math.min(Math.round(testFraction * positions.length), positions.length - 1);
    const order = randomStream(deriveKey(key, "split", label)).permutation(positions.length);
    for (let draw = 0; draw < testCount; draw++) isTest[positions[order[draw] as number] as number] = 1;
  });
  const all = Uint32Array.from(labels, (_, position) => position);
  return {
    train: all.filter((position) => !isTest[position]),
    test: all.filter((position) => isTest[position]),
  };
}

/**
 * Checks that a split of samples in `file` left some to test on.
 *
 * @throws LETHE_DATA_EMPTY
 */
export function requireTestPart(split: Split, file: string): void {
  if (split.test.length > 0) return;
  throw new LetheError(
    "data",
    "DATA_EMPTY",
    `Expected enough samples in ${file} to put one of each class aside for testing, got ${split.train.length}. Give more samples or a larger test fraction.`,
    { details: { file, samples: split.train.length } },
  );
}
