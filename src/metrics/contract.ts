import type { z } from "zod";

/** What an unlearning request may be about. */
export type RequestScope = "sample" | "class" | "group" | "client";

/** Every scope: what a metric judges that only needs to know which samples were to be forgotten. */
export const anyScope: readonly RequestScope[] = ["sample", "class", "group", "client"];

/** What a metric must be given, by role. */
export type MetricNeed =
  | "forget"
  | "retain"
  | "test"
  | "holdout"
  | "population"
  | "groups"
  | "trigger"
  | "original"
  | "retrained"
  | "several-unlearned"
  | "several-retrained"
  | "shadow-models"
  | "random-teacher"
  | "relearning"
  | "parameters"
  | "features"
  | "digests"
  | "gradients"
  | "token-probabilities"
  | "paraphrases";

/**
 * One metric: what it is, what it costs, what it cannot show, and its computation. One file each; the list of metrics, the
 * documentation and the comparison tables are derived from these values.
 */
export interface Metric {
  /** Permanent, kebab-case: it goes into results and ledgers. */
  readonly id: string;
  readonly title: string;
  /** Authors, year, arXiv id; the one that defined it first. Empty for a common statistic. */
  readonly references: readonly string[];
  readonly scope: readonly RequestScope[];
  readonly needs: readonly MetricNeed[];
  readonly formula: string;
  /** All values it can take, and the value that means nothing is left. */
  readonly range: string;
  /** Which way is better; `as retrained`: neither, the nearer to the retrained models' value the better. */
  readonly direction: "higher" | "lower" | "as retrained";
  /** What has to be computed, beyond sums over its inputs. */
  readonly cost: string;
  /** What its value supports, in one sentence. */
  readonly guarantee: string;
  /** What even the best value does not show. */
  readonly doesNotShow: string;
  /** Settings with their defaults, for a metric that has some. */
  readonly config?: z.ZodType;
  readonly compute: (...inputs: never) => unknown;
}

/** Declares a metric. */
export function defineMetric<const M extends Metric>(metric: M): M {
  return metric;
}
