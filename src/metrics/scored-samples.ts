import { LetheError } from "../kernel/errors.ts";
import { expectAtLeast, expectFinite } from "./metric-input.ts";

/** A model's class scores of some samples, with what is true: what most metrics judge. */
export interface ScoredSamples {
  /** [count, classes], row-major */
  readonly logits: Float32Array;
  /** [count], each in {0, …, classes − 1} */
  readonly labels: Int32Array;
  readonly classes: number;
}

/**
 * Checks scores before they are judged: shapes fit, at least one sample, labels are classes, everything finite.
 *
 * @param name - the role of the samples, for the message
 * @throws LETHE_DATA_SHAPE, LETHE_DATA_TOO_FEW, LETHE_DATA_LABEL, LETHE_NUMERIC_NOT_FINITE
 */
export function expectScored(metric: string, name: string, samples: ScoredSamples): void {
  const { logits, labels, classes } = samples;
  if (!Number.isInteger(classes) || classes < 2 || logits.length !== labels.length * classes) {
    throw new LetheError(
      "data",
      "DATA_SHAPE",
      `Expected \`${name}\` logits of ${labels.length} samples × at least 2 classes in metric \`${metric}\`, got ` +
        `${logits.length} numbers for ${classes} classes.`,
    );
  }
  expectAtLeast(metric, name, labels.length, 1);
  const outside = labels.findIndex((label) => label < 0 || label >= classes);
  if (outside >= 0) {
    throw new LetheError(
      "data",
      "DATA_LABEL",
      `Expected \`${name}\` labels from 0 to ${classes - 1} in metric \`${metric}\`, got another at position ${outside}.`,
    );
  }
  expectFinite(metric, `${name} logits`, logits);
}

/**
 * The samples in the given rows.
 *
 * @param rows - indices, each below the number of samples
 */
export function selectScored(samples: ScoredSamples, rows: ArrayLike<number>): ScoredSamples {
  const { classes } = samples;
  const logits = new Float32Array(rows.length * classes);
  const labels = Int32Array.from(rows, (row) => samples.labels[row] as number);
  Array.from(rows).forEach((row, index) => {
    logits.set(samples.logits.subarray(row * classes, (row + 1) * classes), index * classes);
  });
  return { logits, labels, classes };
}
