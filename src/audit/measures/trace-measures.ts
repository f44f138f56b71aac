import { margins } from "../../metrics/margins.ts";
import { mean } from "../../metrics/statistics/summary.ts";
import type { FeatureRows } from "../../training/features/features.ts";
import type { ScoredModel } from "../scored-model.ts";
import { classCentroids } from "./centroid-margins.ts";
import type { Measure } from "./measure.ts";
import { traceLeft } from "./trace.ts";

/** Half of a trace: a model that has lost less than half of it has not forgotten, one with less than minus half was pushed beyond. */
const HALF = 0.5;

/** Where a model lies between those trained with the forgotten samples (1) and without them (0). */
export const traceMeasures: readonly Measure[] = [
  {
    id: "trace",
    title: "Trace of the forgotten samples left in the answers (1 trained with them, 0 without)",
    group: "removal",
    unit: "number",
    scale: "linear",
    resolution: HALF,
    above: "is nearer to models trained with the forgotten samples than to models trained without them",
    below:
      "is further from models trained with the forgotten samples than a retrained one: pushed beyond forgetting",
    values: { kind: "trace", of: traceOf(contrastedAnswers) },
  },
  {
    id: "feature-trace",
    title: "Trace of the forgotten samples left in the features (1 trained with them, 0 without)",
    group: "features",
    unit: "number",
    scale: "linear",
    resolution: HALF,
    above:
      "has features nearer to those of models trained with the forgotten samples than to those trained without",
    below: "has features pushed further from the forgotten samples than training without them does",
    values: { kind: "trace", of: traceOf(contrastedFeatures) },
  },
];

function traceOf(evidenceOf: (model: ScoredModel) => Float64Array) {
  const known = new WeakMap<ScoredModel, Float64Array>();
  const evidence = (model: ScoredModel): Float64Array => {
    const found = known.get(model) ?? evidenceOf(model);
    known.set(model, found);
    return found;
  };
  return (
    model: ScoredModel,
    without: readonly ScoredModel[],
    within: readonly ScoredModel[],
  ): Float64Array => traceLeft(evidence(model), without.map(evidence), within.map(evidence));
}

/** Margins of the forget samples less the mean of unseen ones: how sure a model is in general does not count. */
function contrastedAnswers({ forget, unseen }: ScoredModel): Float64Array {
  const usual = mean(margins(unseen));
  return margins(forget).map((margin) => margin - usual);
}

/** How clearly features belong to their class, less the mean of test samples. */
function contrastedFeatures({ features, forget, unseen, test }: ScoredModel): Float64Array {
  const of = features as Readonly<Record<"forget" | "unseen" | "test", FeatureRows>>;
  const centroids = classCentroids(of.unseen, unseen.labels, unseen.classes);
  const usual = mean(centroids.margins(of.test, test.labels));
  return centroids.margins(of.forget, forget.labels).map((margin) => margin - usual);
}
