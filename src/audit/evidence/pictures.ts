import type { Samples } from "../../data/dataset.ts";
import { margins } from "../../metrics/margins.ts";
import { mean } from "../../metrics/statistics/summary.ts";
import type { AuditedModels } from "../audit.ts";
import type { ScoredModel } from "../scored-model.ts";
import { type OfAudited, ofAudited } from "./of-audited.ts";

/** Pictures of samples on which unlearning changed the model most. */
export interface PictureEvidence {
  readonly forget: readonly ChangedPicture[];
  readonly test: readonly ChangedPicture[];
}

/** One sample and what the models make of it. */
export interface ChangedPicture extends Picture {
  readonly label: number;
  /** Class with the highest score and the probability of the true one; `retrained` is the first reference's. */
  readonly answers: OfAudited<{ readonly label: number; readonly probability: number }>;
}

/** Pixels of an image. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** 1 grey, 3 red, green and blue. */
  readonly channels: 1 | 3;
  /** Base64 of bytes, row by row, the channels of a pixel together. */
  readonly pixels: string;
}

/** Pictures of each set: two rows of a page. */
const MOST = 6;

/** Whether samples are images a page can show. */
export function areImages({ featureShape }: Pick<Samples, "featureShape">): boolean {
  const [channels, height = 0, width = 0] = featureShape;
  return featureShape.length === 3 && (channels === 1 || channels === 3) && height > 1 && width > 1;
}

/** The samples whose margin differs most between original and unlearned model; nothing for data that are no images. */
export function picturesOf({
  original,
  unlearned,
  retrained,
  sets,
}: AuditedModels): PictureEvidence | undefined {
  if (!areImages(sets.forget)) return undefined;
  const models = { original, unlearned, retrained: retrained[0] as ScoredModel };
  const changed = (set: "forget" | "test"): readonly ChangedPicture[] => {
    const [before, after] = [margins(original[set]), margins(unlearned[set])];
    const change = (row: number): number => Math.abs((after[row] as number) - (before[row] as number));
    return [...before.keys()]
      .sort((a, b) => change(b) - change(a))
      .slice(0, MOST)
      .map((row) => ({
        label: sets[set].labels[row] as number,
        ...pictureOf(rowOf(sets[set], row), sets[set].featureShape),
        answers: ofAudited((id) => answerOf(models[id], set, row)),
      }));
  };
  return { forget: changed("forget"), test: changed("test") };
}

/**
 * A row of features as a picture, from its least value (black) to its largest (white): features may have been scaled.
 *
 * @param features - [channels, height, width]
 */
export function pictureOf(features: ArrayLike<number>, shape: readonly number[]): Picture {
  const [channels = 1, height = 1, width = 1] = shape;
  const values = Array.from(features);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const bytes = new Uint8Array(values.length);
  values.forEach((value, at) => {
    const [channel, pixel] = [Math.floor(at / (height * width)), at % (height * width)];
    bytes[pixel * channels + channel] = high > low ? Math.round((255 * (value - low)) / (high - low)) : 0;
  });
  return {
    width,
    height,
    channels: channels === 3 ? 3 : 1,
    pixels: Buffer.from(bytes).toString("base64"),
  };
}

/** The features of one sample. */
export function rowOf(samples: Samples, position: number): Float32Array {
  const row = new Float32Array(samples.featureLength);
  samples.gather([position], row);
  return row;
}

/** The mean of samples' features. */
export function meanRow(samples: Samples): Float32Array {
  const rows = [...samples.labels.keys()].map((position) => rowOf(samples, position));
  return Float32Array.from({ length: samples.featureLength }, (_, at) =>
    mean(rows.map((row) => row[at] as number)),
  );
}

function answerOf(
  model: ScoredModel,
  set: "forget" | "test",
  row: number,
): { readonly label: number; readonly probability: number } {
  const { logits, labels, classes } = model[set];
  const scores = Array.from(logits.subarray(row * classes, (row + 1) * classes));
  const largest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - largest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return {
    label: scores.indexOf(largest),
    probability: (powers[labels[row] as number] as number) / total,
  };
}
