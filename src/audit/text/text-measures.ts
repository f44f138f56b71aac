import { privacyLeakage } from "../../metrics/privacy-leakage.ts";
import { kolmogorovSmirnov } from "../../metrics/statistics/kolmogorov-smirnov.ts";
import { rankProbability } from "../../metrics/statistics/rank-probability.ts";
import { mean } from "../../metrics/statistics/summary.ts";
import type { Measure } from "../measures/measure.ts";
import { type Evidence, membershipRanks } from "../measures/membership-ranks.ts";
import { traceLeft } from "../measures/trace.ts";
import type { TextModel } from "./text-model.ts";

/** Nats a token; a perplexity that differs by two hundredths of itself. */
const SMALL_LOSS = 0.02;
/** Two hundredths of an area under a curve, as for classifiers. */
const SMALL_AREA = 0.02;
/** A distance between distribution functions that nobody sees in a plot. */
const SMALL_DISTANCE = 0.02;
/** As for classifiers: half of a trace. */
const HALF = 0.5;

/** Every figure of an audit of a language model, in the order of its table. */
export const textMeasures: readonly Measure<TextModel>[] = [
  {
    id: "forget-loss",
    title: "Log perplexity of the forgotten texts (nats a token)",
    // Says as much of how good a model is in general as of memory: shown, and judged beside unseen texts below.
    group: "reported",
    unit: "number",
    scale: "linear",
    resolution: SMALL_LOSS,
    above:
      "finds the forgotten texts more surprising than models that never saw them, which betrays them too",
    below: "still expects the forgotten texts more than models that never saw them",
    values: { kind: "own", of: ({ forget }) => forget.losses },
  },
  {
    id: "min-k",
    title: "Membership attack by Min-K% (AUC)",
    group: "removal",
    unit: "share",
    scale: "linear",
    resolution: SMALL_AREA,
    above:
      "is less surprised by the forgotten texts’ rarest tokens than by unseen ones’, more so than a retrained model",
    below: "is more surprised by the forgotten texts’ rarest tokens than models that never saw them",
    values: {
      kind: "own",
      of: ({ forget, unseen }) => membershipRanks(asEvidence(forget.minK), asEvidence(unseen.minK)),
    },
  },
  {
    id: "calibrated-mia",
    title: "Membership attack calibrated by the retrained models (AUC)",
    group: "removal",
    unit: "share",
    scale: "linear",
    resolution: SMALL_AREA,
    above: "is surer of the forgotten texts than retrained models are, text by text",
    below: "is less sure of the forgotten texts than retrained models are, text by text",
    values: {
      kind: "calibrated",
      of: (model, retrained) =>
        membershipRanks(
          asEvidence(excess(model, retrained, "forget")),
          asEvidence(excess(model, retrained, "unseen")),
        ),
    },
  },
  {
    id: "loss-distance",
    title:
      "Distance of the forgotten texts’ losses, less those of unseen ones, from a retrained model’s (Kolmogorov–Smirnov)",
    group: "removal",
    unit: "share",
    scale: "log",
    resolution: SMALL_DISTANCE,
    above: "spreads its losses on the forgotten texts otherwise than retrained models do",
    below: "spreads its losses on the forgotten texts more like one retrained model than another one does",
    values: {
      kind: "pair",
      of: (model, retrained) =>
        Float64Array.of(kolmogorovSmirnov(contrasted(model), contrasted(retrained)).statistic),
    },
  },
  {
    id: "trace",
    title: "Trace of the forgotten texts left (1 trained with them, 0 without)",
    group: "removal",
    unit: "number",
    scale: "linear",
    resolution: HALF,
    above: "is nearer to models trained with the forgotten texts than to models trained without them",
    below:
      "is further from models trained with the forgotten texts than a retrained one: pushed beyond forgetting",
    values: {
      kind: "trace",
      of: (model, without, within) =>
        traceLeft(contrasted(model), without.map(contrasted), within.map(contrasted)),
    },
  },
  {
    id: "retain-loss",
    title: "Log perplexity of the retained texts (nats a token)",
    group: "utility",
    unit: "number",
    scale: "linear",
    resolution: SMALL_LOSS,
    above: "has lost some of what it was to keep",
    below: "fits the retained texts more closely than a retrained model",
    values: { kind: "own", of: ({ retain }) => retain.losses },
  },
  {
    id: "test-loss",
    title: "Log perplexity of test texts (nats a token)",
    group: "utility",
    unit: "number",
    scale: "linear",
    resolution: SMALL_LOSS,
    above: "is less useful on new texts than a retrained model",
    below:
      "predicts new texts better than a retrained model: what was to be forgotten still helps it, or it was trained longer",
    values: { kind: "own", of: ({ test }) => test.losses },
  },
  {
    id: "privleak",
    title: "Privacy leakage by Min-K% against a retrained model (PrivLeak, %)",
    // The same attack as above as a ratio, which papers report.
    group: "reported",
    unit: "number",
    scale: "linear",
    resolution: 5,
    above: "is over-forgotten",
    below: "is under-forgotten",
    values: { kind: "pair", of: (model, retrained) => leakage(model, retrained) },
  },
];

/** Texts have no classes: all are peers. */
function asEvidence(scores: Float64Array): Evidence {
  return { scores, labels: new Int32Array(scores.length) };
}

/** Nothing where the retrained model's attack never succeeds, to which no other can be relative. */
function leakage(model: TextModel, retrained: TextModel): Float64Array {
  const [own, other] = [attackOn(model), attackOn(retrained)];
  return rankProbability(other.forget, other.holdout) > 0
    ? Float64Array.of(privacyLeakage(own, other).percent)
    : new Float64Array(0);
}

function attackOn({ forget, unseen }: TextModel): {
  readonly forget: Float64Array;
  readonly holdout: Float64Array;
} {
  return { forget: forget.minK, holdout: unseen.minK };
}

/** How much likelier a text is than on average over retrained models, in nats a token. */
function excess(model: TextModel, retrained: readonly TextModel[], set: "forget" | "unseen"): Float64Array {
  return model[set].losses.map(
    (loss, text) => mean(retrained.map((other) => other[set].losses[text] as number)) - loss,
  );
}

/** Log likelihoods of the forget texts less the mean of unseen ones: how good a model is in general does not count. */
function contrasted({ forget, unseen }: TextModel): Float64Array {
  const usual = mean(unseen.losses);
  return forget.losses.map((loss) => usual - loss);
}
