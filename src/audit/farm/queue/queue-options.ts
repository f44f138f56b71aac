import type { PartsSource } from "../../../data/load-parts.ts";

/** A database at which other machines work, and what they have to have. */
export interface QueueOptions {
  /** postgres://…, with whatever it takes to log in. Never shown. */
  readonly url: string;
  /** How a worker makes the farm's training part from its own copy of the data. */
  readonly source: PartsSource;
  /** Version of the engine and kind of machine; only workers with the same take part. */
  readonly engine: string;
}
