import { type Key, keyFromSeed } from "../kernel/key.ts";
import type { Dataset } from "./dataset.ts";

/** A place datasets come from. One file in `sources/`, one line in the registry. */
export interface DatasetSource {
  /** The word before the colon of a dataset's name: `mnist`, `csv`. */
  readonly id: string;
  /**
   * How to write it, `csv:FILE?label=COLUMN…`. A form with a colon needs an argument, one without takes none; in brackets,
   * `flights[:SIZE]`, it may be left out.
   */
  readonly form: string;
  readonly title: string;
  /** Who published the data, or what the format is. */
  readonly paper: string;
  readonly licence: string;
  /** Known for one fixed dataset; absent for a format. */
  readonly counts?: { readonly train: number; readonly test: number; readonly classes: number };
  /** Looks whether the data are on this machine, without reading them. */
  availability(options: LoadOptions): Promise<Availability>;
  /**
   * @param argument - what follows the colon; empty when the form has none
   * @throws LetheError of kind `data` or `usage`
   */
  load(argument: string, options: LoadOptions): Promise<Dataset>;
}

/** Whether a dataset can be loaded here, and if not, what to do about it. */
export type Availability =
  | { readonly available: true }
  | { readonly available: false; readonly remedy: string };

/** What a caller may choose. */
export interface LoadOptions {
  /** Directory of the user's own copies of known datasets; default: the environment's `LETHE_DATA`. */
  readonly dataDirectory?: string;
  /**
   * Decides which samples of an undivided file become the test part. Fixed unless given, so that every command sees
   * the same division whatever its seed: a model must never be judged on samples another command trained it on.
   */
  readonly splitKey?: Key;
}

/** The directory of the user's own copies, if there is one. */
export function dataDirectoryOf(options: LoadOptions): string | undefined {
  const { LETHE_DATA } = process.env;
  return options.dataDirectory ?? LETHE_DATA;
}

/** The key of the division into training and test part. */
export function splitKeyOf(options: LoadOptions): Key {
  return options.splitKey ?? keyFromSeed("dataset split");
}
