import { membershipFeatures } from "../../metrics/attacks/membership-features.ts";
import { margins } from "../../metrics/margins.ts";
import { predictedClasses } from "../../metrics/predictions.ts";
import type { ScoredSamples } from "../../metrics/scored-samples.ts";
import { median } from "../../metrics/statistics/summary.ts";
import { hits } from "../measures/accuracy-measures.ts";
import { classCentroids } from "../measures/centroid-margins.ts";
import type { Evidence } from "../measures/membership-ranks.ts";
import type { ScoredModel } from "../scored-model.ts";
import { type Contrast, meanContrast, rankContrast } from "./class-contrast.ts";

/** One two-sided test of forgotten against held-out samples. */
export interface HeldOutMeasure {
  /** Permanent; it goes into results. */
  readonly id: string;
  readonly title: string;
  readonly group: "removal" | "features";
  /** What a model reads that treats both alike. */
  readonly neutral: number;
  /** A distance from `neutral` too small to matter. */
  readonly resolution: number;
  /** What a value above, or below, means, as the rest of a sentence on the model. */
  readonly above: string;
  readonly below: string;
  readonly of: (model: ScoredModel) => Contrast;
}

/** Two hundredths of an area under a curve: an attacker gains next to nothing by them. */
const SMALL_AREA = 0.02;
/** One point of accuracy, as in the audit by retrained models. */
const ONE_POINT = 0.01;

/** Every test, in the order of its table. */
export const heldOutMeasures: readonly HeldOutMeasure[] = [
  {
    id: "held-out-loss",
    title: "Forgotten samples with smaller losses than held-out ones (AUC; margins rank alike)",
    group: "removal",
    neutral: 1 / 2,
    resolution: SMALL_AREA,
    above: "gives the forgotten samples smaller losses than samples it never saw: it still remembers them",
    below: "gives the forgotten samples larger losses than samples it never saw, which betrays them too",
    of: ({ forget, unseen }) =>
      rankContrast(evidenceOf(forget, margins(forget)), evidenceOf(unseen, margins(unseen))),
  },
  {
    id: "held-out-confidence",
    title: "Forgotten samples answered with more confidence than held-out ones, right or wrong (AUC)",
    group: "removal",
    neutral: 1 / 2,
    resolution: SMALL_AREA,
    above: "is surer of its answers on the forgotten samples than on samples it never saw",
    below: "is less sure of its answers on the forgotten samples than on samples it never saw",
    of: ({ forget, unseen }) =>
      rankContrast(evidenceOf(forget, certainty(forget)), evidenceOf(unseen, certainty(unseen))),
  },
  {
    id: "held-out-entropy",
    title: "Forgotten samples answered with less entropy than held-out ones (AUC)",
    group: "removal",
    neutral: 1 / 2,
    resolution: SMALL_AREA,
    above: "spreads its answers less over the classes on the forgotten samples than on samples it never saw",
    below: "spreads its answers more over the classes on the forgotten samples than on samples it never saw",
    of: ({ forget, unseen }) =>
      rankContrast(evidenceOf(forget, order(forget)), evidenceOf(unseen, order(unseen))),
  },
  {
    id: "held-out-accuracy",
    title: "Accuracy on the forgotten samples less that on held-out ones of the same classes",
    group: "removal",
    neutral: 0,
    resolution: ONE_POINT,
    above: "is right about the forgotten samples more often than about samples it never saw",
    below: "is wrong about the forgotten samples more often than about samples it never saw",
    of: ({ forget, unseen }) =>
      meanContrast(evidenceOf(forget, hits(forget)), evidenceOf(unseen, hits(unseen))),
  },
  {
    id: "held-out-spread",
    title: "Forgotten samples further from the usual margin than held-out ones, on either side (AUC)",
    group: "removal",
    neutral: 1 / 2,
    resolution: SMALL_AREA,
    above:
      "treats the forgotten samples more unevenly than samples it never saw: some are remembered, or some pushed away",
    below: "treats the forgotten samples more evenly than samples it never saw",
    of: spreadContrast,
  },
  {
    id: "held-out-features",
    title: "Forgotten samples whose features belong more clearly to their class than held-out ones (AUC)",
    group: "features",
    neutral: 1 / 2,
    resolution: SMALL_AREA,
    above: "has features that place the forgotten samples more clearly than samples it never saw",
    below: "has features that place the forgotten samples less clearly than samples it never saw",
    of: featureContrast,
  },
];

function evidenceOf({ labels }: ScoredSamples, scores: Float64Array): Evidence {
  return { scores, labels };
}

/** The margin of the answer given: the largest probability on a scale that does not saturate. */
function certainty(samples: ScoredSamples): Float64Array {
  return margins({ ...samples, labels: predictedClasses(samples.logits, samples.classes) });
}

function order(samples: ScoredSamples): Float64Array {
  return membershipFeatures.entropy(samples).map((entropy) => -entropy);
}

/** Distances from the median margin of a class, both kinds of samples together: one of held-out ones alone would lie nearer to them. */
function spreadContrast({ forget, unseen }: ScoredModel): Contrast {
  const [own, others] = [margins(forget), margins(unseen)];
  const centres = new Map<number, number>();
  for (const label of new Set(forget.labels)) {
    const ofClass = (values: Float64Array, { labels }: ScoredSamples): Float64Array =>
      values.filter((_, row) => labels[row] === label);
    centres.set(label, median([...ofClass(own, forget), ...ofClass(others, unseen)]));
  }
  const distances = (values: Float64Array, { labels }: ScoredSamples): Float64Array =>
    values.map((value, row) => Math.abs(value - (centres.get(labels[row] as number) ?? 0)));
  return rankContrast(
    evidenceOf(forget, distances(own, forget)),
    evidenceOf(unseen, distances(others, unseen)),
  );
}

/** Class means come from test samples: from the held-out ones themselves they would lie nearer to those. */
function featureContrast({ features, forget, unseen, test }: ScoredModel): Contrast {
  const of = features as NonNullable<ScoredModel["features"]>;
  const centroids = classCentroids(of.test, test.labels, test.classes);
  return rankContrast(
    evidenceOf(forget, centroids.margins(of.forget, forget.labels)),
    evidenceOf(unseen, centroids.margins(of.unseen, unseen.labels)),
  );
}
