import { predictedClasses } from "../../metrics/predictions.ts";
import type { ScoredSamples } from "../../metrics/scored-samples.ts";
import type { Measure } from "./measure.ts";

/** One point of accuracy: less is not worth an argument, and batch order alone moves it by as much. */
const ONE_POINT = 0.01;

/** UA, RA and TA of the sparse-unlearning papers. */
export const accuracyMeasures: readonly Measure[] = [
  {
    id: "ua",
    title: "Error on the forgotten samples",
    group: "removal",
    unit: "share",
    scale: "linear",
    resolution: ONE_POINT,
    above:
      "is wrong about the forgotten samples more often than models that never saw them, which betrays them too",
    below: "still knows forgotten samples that models without them get wrong",
    values: { kind: "own", of: ({ forget }) => hits(forget).map((hit) => 1 - hit) },
  },
  {
    id: "ra",
    title: "Accuracy on the retained samples",
    group: "utility",
    unit: "share",
    scale: "linear",
    resolution: ONE_POINT,
    above: "fits the retained samples more closely than a retrained model",
    below: "has lost some of what it was to keep",
    values: { kind: "own", of: ({ retain }) => hits(retain) },
  },
  {
    id: "ta",
    title: "Accuracy on test samples",
    group: "utility",
    unit: "share",
    scale: "linear",
    resolution: ONE_POINT,
    above:
      "is right about test samples that a retrained model gets wrong: what was to be forgotten still helps it, or it was trained longer",
    below: "is less useful on new samples than a retrained model",
    values: { kind: "own", of: ({ test }) => hits(test) },
  },
];

/** 1 where the prediction is right [count]. */
export function hits({ logits, labels, classes }: ScoredSamples): Float64Array {
  const predicted = predictedClasses(logits, classes);
  return Float64Array.from(labels, (label, row) => Number(predicted[row] === label));
}
