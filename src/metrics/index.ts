import { LetheError } from "../kernel/errors.ts";
import { agreementMetric } from "./accuracy.ts";
import { attackSuccessMetric } from "./attack-success.ts";
import { bavariaTMetric } from "./attacks/bavaria-t.ts";
import { liraMetric } from "./attacks/lira.ts";
import { lossRegressionMetric } from "./attacks/loss-regression-membership.ts";
import { rmiaMetric } from "./attacks/rmia.ts";
import { miaEfficacyMetric } from "./attacks/svc-membership.ts";
import { unlearningLiraMetric } from "./attacks/unlearning-lira.ts";
import { ausMetric, nomusMetric } from "./composite-scores.ts";
import type { Metric } from "./contract.ts";
import { parameterDistanceMetric } from "./distance.ts";
import { exactnessMetric } from "./exactness.ts";
import { ckaMetric } from "./feature-similarity.ts";
import { forgettingQualityMetric } from "./forgetting-quality.ts";
import { groupFairnessMetric } from "./group-fairness.ts";
import { interclassConfusionMetric } from "./interclass-confusion.ts";
import { inversionMetric } from "./inversion-probe.ts";
import { klomMetric } from "./klom.ts";
import { klomNormalMetric } from "./klom-normal.ts";
import { lossMembershipMetric } from "./membership.ts";
import { predictionDivergenceMetric, zrfMetric } from "./prediction-divergence.ts";
import { privacyLeakageMetric } from "./privacy-leakage.ts";
import { ainMetric, relearnTimeMetric } from "./relearn-time.ts";
import { averageGapMetric, raMetric, taMetric, uaMetric } from "./set-accuracies.ts";
import { minKMetric } from "./token-membership.ts";
import { tofuForgetQualityMetric, truthRatioMetric } from "./truth-ratio.ts";
import { towMetric, towMiaMetric } from "./tug-of-war.ts";

/**
 * Every metric, by what it looks at: accuracies and scores made of them, decisions and predictions, weights and features,
 * relearning, membership attacks, distributions over models, planted behaviour and groups, texts.
 */
export const metrics: readonly Metric[] = [
  uaMetric,
  raMetric,
  taMetric,
  averageGapMetric,
  towMetric,
  towMiaMetric,
  ausMetric,
  nomusMetric,
  agreementMetric,
  predictionDivergenceMetric,
  zrfMetric,
  exactnessMetric,
  parameterDistanceMetric,
  ckaMetric,
  relearnTimeMetric,
  ainMetric,
  lossMembershipMetric,
  lossRegressionMetric,
  miaEfficacyMetric,
  liraMetric,
  bavariaTMetric,
  rmiaMetric,
  unlearningLiraMetric,
  forgettingQualityMetric,
  klomMetric,
  klomNormalMetric,
  inversionMetric,
  attackSuccessMetric,
  interclassConfusionMetric,
  groupFairnessMetric,
  minKMetric,
  privacyLeakageMetric,
  truthRatioMetric,
  tofuForgetQualityMetric,
];

/** One line of the list of metrics. */
export type MetricListing = Omit<Metric, "compute" | "config" | "references"> & {
  /** The paper that defined it; empty for a common statistic. */
  readonly paper: string;
  readonly references: readonly string[];
  /** Its settings with their defaults; empty for a metric without. */
  readonly settings: Readonly<Record<string, unknown>>;
};

/** What is known about every metric, as plain data. */
export function listMetrics(): readonly MetricListing[] {
  return metrics.map(({ compute: _, config, ...entry }) => ({
    ...entry,
    paper: entry.references[0] ?? "",
    settings: (config?.parse({}) ?? {}) as Readonly<Record<string, unknown>>,
  }));
}

/**
 * The metric of an id.
 *
 * @throws LETHE_USAGE_METRIC naming the ids there are
 */
export function findMetric(id: string): Metric {
  const metric = metrics.find((candidate) => candidate.id === id);
  if (metric !== undefined) return metric;
  const known = metrics.map((candidate) => candidate.id).join(", ");
  throw new LetheError("usage", "USAGE_METRIC", `Expected a metric ${known}, got \`${id}\`.`);
}
