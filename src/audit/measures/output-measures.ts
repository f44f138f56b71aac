import { margins } from "../../metrics/margins.ts";
import { predictionDivergence } from "../../metrics/prediction-divergence.ts";
import { predictedClasses } from "../../metrics/predictions.ts";
import { mean, variance } from "../../metrics/statistics/summary.ts";
import type { ScoredModel } from "../scored-model.ts";
import type { Measure } from "./measure.ts";

/** A tenth of the spread between retrained models. */
const TENTH_OF_SPREAD = 0.1;
/** Nats; a probability that is off by a tenth of itself costs about this much. */
const SMALL_DIVERGENCE = 0.01;

/** Distances of what the model says from what retrained models say, sample by sample. */
export const outputMeasures: readonly Measure[] = [
  {
    id: "margin-shift",
    title: "Mean shift of the forgotten samples’ margins, in spreads of retrained models",
    group: "removal",
    unit: "number",
    scale: "linear",
    resolution: TENTH_OF_SPREAD,
    above: "is more certain of the forgotten samples than retrained models are",
    below:
      "is less certain of the forgotten samples than retrained models are: more was done than forgetting",
    values: { kind: "calibrated", of: standardisedMargins },
  },
  {
    id: "margin-distance",
    title:
      "Mean distance of the forgotten samples’ margins, in spreads of retrained models (KLoM for few models)",
    group: "removal",
    unit: "number",
    scale: "log",
    resolution: TENTH_OF_SPREAD,
    above: "differs from retrained models on single forgotten samples by more than they do among themselves",
    below:
      "agrees with the retrained models’ average on the forgotten samples better than a retrained model does",
    values: {
      kind: "calibrated",
      of: (model, retrained) => standardisedMargins(model, retrained).map(Math.abs),
    },
  },
  {
    id: "forget-divergence",
    title: "Divergence from a retrained model on the forgotten samples (KL, nats)",
    group: "removal",
    unit: "number",
    scale: "log",
    resolution: SMALL_DIVERGENCE,
    above: "predicts the forgotten samples otherwise than retrained models do",
    below: "predicts the forgotten samples more like one retrained model than another one does",
    values: {
      kind: "pair",
      of: (model, retrained) => predictionDivergence(model.forget, retrained.forget).kullbackLeibler,
    },
  },
  {
    id: "agreement",
    title: "Agreement with a retrained model on test samples",
    group: "utility",
    unit: "share",
    scale: "log-complement",
    // A point of accuracy, as for the accuracies.
    resolution: 0.01,
    above: "decides more like one retrained model than another one does",
    below: "decides otherwise than retrained models do on test samples",
    values: { kind: "pair", of: agreements },
  },
];

/** (margin − mean over retrained models) / pooled spread of single samples between retrained models [forget]. */
function standardisedMargins(model: ScoredModel, retrained: readonly ScoredModel[]): Float64Array {
  const tables = retrained.map(({ forget }) => margins(forget));
  const own = margins(model.forget);
  const columns = Array.from(own, (_, row) => tables.map((table) => table[row] as number));
  // A spread of one sample rests on a handful of models; all samples together give one that can be relied on.
  const spread = Math.sqrt(mean(columns.map((column) => variance(column))));
  // Models that do not differ at all: any difference is endless, and none is none.
  return own.map((margin, row) => {
    const difference = margin - mean(columns[row] as number[]);
    return difference === 0 ? 0 : difference / Math.max(spread, Number.MIN_VALUE);
  });
}

function agreements({ test }: ScoredModel, retrained: ScoredModel): Float64Array {
  const [a, b] = [test, retrained.test].map(({ logits, classes }) => predictedClasses(logits, classes));
  return Float64Array.from(a ?? [], (label, row) => Number(label === b?.[row]));
}
