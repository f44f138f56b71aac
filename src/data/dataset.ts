import type { Tokenizer } from "./text/tokenizer.ts";

/** Named data with a training and a test part. Immutable: whoever wants other samples makes a view. */
export interface Dataset {
  /** `mnist`, `csv:people.csv`: the prefix of its samples' ids. */
  readonly id: string;
  readonly title: string;
  /** Under which terms the data may be used, as its publisher says it. */
  readonly licence: string;
  /** Name of class `c` at index `c`. */
  readonly classNames: readonly string[];
  /** Shape of one sample's features: `[channels, height, width]` of an image, `[columns]` of a table, `[positions]` of text. */
  readonly featureShape: readonly number[];
  /** What made token ids of text; left out for data that are no text. */
  readonly tokenizer?: Tokenizer;
  readonly train: Samples;
  readonly test: Samples;
}

/**
 * Labelled samples, addressed by position 0 … count − 1. A view ({@link Samples.subset}, a poisoned client) has the same
 * interface and shares the features it was made from.
 */
export interface Samples {
  readonly count: number;
  /** Shape of one sample's features. */
  readonly featureShape: readonly number[];
  /** Numbers of one sample's features, the product of `featureShape`. */
  readonly featureLength: number;
  /** Labels lie in 0 … classCount − 1. */
  readonly classCount: number;
  /** Label of each position; not to be written to. */
  readonly labels: Int32Array;
  /** What a model that answers at every position is compared with (text); left out where the label is the answer. */
  readonly targets?: SampleTargets;
  /** Names of the attributes {@link Samples.groups} knows. */
  readonly groupNames: readonly string[];
  /** The sample's permanent name, `mnist/train/17`: a view keeps the names of what it shows. */
  id(position: number): string;
  /** Whom the sample is about; `undefined` where the source names nobody. */
  subject(position: number): string | undefined;
  /** Attribute values of the sample, `{ sex: "f" }`. */
  groups(position: number): Readonly<Record<string, string>>;
  /**
   * Writes the features of `positions`, row after row, to the start of `out`.
   *
   * @param positions - each in [0, count); repeats allowed
   * @param out - row-major [positions.length, ...featureShape], or longer
   * @throws LETHE_USAGE_GATHER for a position outside the samples or an `out` too short
   */
  gather(positions: Positions, out: Float32Array): void;
  /**
   * The samples at `positions`, in that order, without copying features.
   *
   * @throws LETHE_USAGE_GATHER for a position outside the samples
   */
  subset(positions: Positions): Samples;
  /** Ascending positions of each class. Computed at the first call. */
  positionsByClass(): readonly Uint32Array[];
}

/** The class numbers (next words) of every position in a sample. */
export interface SampleTargets {
  /** Sizes of one sample's targets, [positions]. */
  readonly shape: readonly number[];
  /**
   * Writes the targets of samples, row after row, to the start of `out`; {@link IGNORED_LABEL} where none is counted.
   *
   * @throws LETHE_USAGE_GATHER for a position outside the samples
   */
  gather(positions: Positions, out: BigInt64Array): void;
}

/** The target of a position that is not counted, such as padding: the number other libraries use too. */
export const IGNORED_LABEL = -100;

/** Positions of samples, from 0. */
export type Positions = Uint32Array | readonly number[];
