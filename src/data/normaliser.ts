import { z } from "zod";
import { type Digest, digestJson } from "../kernel/digest.ts";
import { LetheError } from "../kernel/errors.ts";
import type { Positions, Samples } from "./dataset.ts";
import { completeSamples } from "./view.ts";

/** Mean and deviation of every channel (images) or feature, and what they were computed from. */
export const normaliserSchema = z.strictObject({
  mean: z.array(z.number()).min(1),
  /** Population deviation; 1 where all values are equal. */
  deviation: z.array(z.number().positive()).min(1),
  /** The samples seen: how many, and {@link digestOfIds}. */
  saw: z.strictObject({ count: z.int().min(1), digest: z.string() }),
});

/** As {@link normaliserSchema} reads it. */
export type Normaliser = z.output<typeof normaliserSchema>;

/** Rows read at a time. */
const BATCH = 256;
/** A deviation this far below the mean is what rounding leaves of equal values. */
const ROUNDING = 1e-6;

/**
 * Computes mean and deviation of samples: of every channel of images [channels, height, width], of every feature otherwise.
 *
 * @param samples - the training part, or what is left of it: all that later sees features through this has seen these samples
 * @throws LETHE_DATA_EMPTY
 */
export function fitNormaliser(samples: Samples): Normaliser {
  if (samples.count === 0) {
    throw new LetheError("data", "DATA_EMPTY", "Expected samples to fit mean and deviation on, got none.");
  }
  const { groups, channelOf } = channelsOf(samples);
  const perGroup = (samples.count * samples.featureLength) / groups;
  const average = (value: (feature: number, group: number) => number): number[] => {
    const sums = new Float64Array(groups);
    eachRow(samples, (row) => {
      for (let at = 0; at < row.length; at++) {
        const group = channelOf(at);
        sums[group] = (sums[group] as number) + value(row[at] as number, group);
      }
    });
    return Array.from(sums, (sum) => sum / perGroup);
  };
  const mean = average((feature) => feature);
  const variance = average((feature, group) => (feature - (mean[group] as number)) ** 2);
  const deviation = variance.map((square, group) => {
    const root = Math.sqrt(square);
    return root > ROUNDING * Math.abs(mean[group] as number) ? root : 1;
  });
  return { mean, deviation, saw: { count: samples.count, digest: digestOfIds(samples) } };
}

/**
 * The same samples with features (x − mean) / deviation.
 *
 * @throws LETHE_USAGE_NORMALISER when the normaliser is for samples of another shape
 */
export function normalised(samples: Samples, { mean, deviation }: Normaliser): Samples {
  const { groups, channelOf } = channelsOf(samples);
  if (mean.length !== groups || deviation.length !== groups) {
    throw new LetheError(
      "usage",
      "USAGE_NORMALISER",
      `Expected mean and deviation of ${groups} channels or features, got ${mean.length} and ${deviation.length}.`,
    );
  }
  const shift = Float64Array.from(
    { length: samples.featureLength },
    (_, at) => mean[channelOf(at)] as number,
  );
  const scale = Float64Array.from(
    { length: samples.featureLength },
    (_, at) => 1 / (deviation[channelOf(at)] as number),
  );
  return completeSamples({
    ...samples,
    gather(positions, out) {
      samples.gather(positions, out);
      for (let start = 0; start < positions.length * shift.length; start += shift.length) {
        for (let at = 0; at < shift.length; at++) {
          out[start + at] = ((out[start + at] as number) - (shift[at] as number)) * (scale[at] as number);
        }
      }
    },
  });
}

/** True when a normaliser was fitted on exactly these samples, in whatever order: on all of them and no others. */
export function wasFittedOn({ saw }: Normaliser, samples: Samples): boolean {
  return saw.count === samples.count && saw.digest === digestOfIds(samples);
}

/** SHA-256 of the sorted ids of samples: equal for the same samples in any order. */
export function digestOfIds(samples: Samples): Digest {
  return digestJson(Array.from(samples.labels, (_, position) => samples.id(position)).sort());
}

function channelsOf({ featureShape, featureLength }: Samples) {
  const isImage = featureShape.length === 3;
  const groups = isImage ? (featureShape[0] as number) : featureLength;
  const groupLength = featureLength / groups;
  return { groups, channelOf: (feature: number): number => Math.floor(feature / groupLength) };
}

function eachRow(samples: Samples, use: (row: Float32Array) => void): void {
  const { count, featureLength } = samples;
  const rows = new Float32Array(Math.min(BATCH, count) * featureLength);
  for (let start = 0; start < count; start += BATCH) {
    const positions: Positions = Array.from(
      { length: Math.min(BATCH, count - start) },
      (_, at) => start + at,
    );
    samples.gather(positions, rows);
    positions.forEach((_, at) => {
      use(rows.subarray(at * featureLength, (at + 1) * featureLength));
    });
  }
}
