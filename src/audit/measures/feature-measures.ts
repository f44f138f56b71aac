import { linearCka } from "../../metrics/feature-similarity.ts";
import { mean } from "../../metrics/statistics/summary.ts";
import type { FeatureRows } from "../../training/features/features.ts";
import type { ScoredModel } from "../scored-model.ts";
import { fitLinearProbe } from "./linear-probe.ts";
import type { Measure } from "./measure.ts";
import { type Evidence, membershipRanks } from "./membership-ranks.ts";

/** Samples of each set whose features are compared: alignment is quadratic in them. */
const ALIGNED_SAMPLES = 150;

/**
 * What goes into the last layer: a model whose head alone was changed says what a retrained one says and still holds all it learnt. Empty
 * for models without a dense last layer.
 */
export const featureMeasures: readonly Measure[] = [
  {
    id: "feature-probe",
    title: "Lead of the forgotten samples over test samples under a fresh linear head on the features",
    group: "features",
    unit: "number",
    scale: "linear",
    // Margins of one-hot regression run from −1 to 1.
    resolution: 0.02,
    above:
      "has features that still tell the forgotten samples’ classes apart, though its answers may not show it",
    below: "has features that tell less of the forgotten samples than those of models that never saw them",
    values: { kind: "own", of: contrastedMargins },
  },
  {
    id: "feature-mia",
    title: "Membership attack on the features, calibrated by the retrained models (AUC)",
    group: "features",
    unit: "share",
    scale: "linear",
    // As for the other areas under a curve.
    resolution: 0.02,
    above: "has features that fit the forgotten samples better than unseen ones",
    below: "has features that fit the forgotten samples worse than unseen ones",
    values: {
      kind: "calibrated",
      of: (model, retrained) =>
        membershipRanks(
          excessProbeMargins(model, retrained, "forget"),
          excessProbeMargins(model, retrained, "test"),
        ),
    },
  },
  {
    id: "cka",
    title: "Likeness of the features to a retrained model’s (linear CKA)",
    group: "features",
    unit: "number",
    scale: "log-complement",
    // Two runs that differ in batch order differ by as much.
    resolution: 0.01,
    above: "has features more like one retrained model’s than another one has",
    below: "has features unlike those of retrained models",
    values: {
      kind: "pair",
      of: likeness,
    },
  },
];

const likenesses = new WeakMap<ScoredModel, WeakMap<ScoredModel, Float64Array>>();

/** Kept: leaving one reference out after the other asks for each pair again and again. */
function likeness(model: ScoredModel, retrained: ScoredModel): Float64Array {
  const known = likenesses.get(model) ?? new WeakMap<ScoredModel, Float64Array>();
  likenesses.set(model, known);
  const found =
    known.get(retrained) ??
    // Features that do not vary have nothing in common with any.
    Float64Array.of(linearCka(alignedRows(model), alignedRows(retrained)) ?? 0);
  known.set(retrained, found);
  return found;
}

type FeatureSet = "forget" | "unseen" | "test";

const probes = new WeakMap<ScoredModel, Map<FeatureSet, Evidence>>();

/** Margins of a probe fitted on the model's features of unseen samples; kept, since every comparison asks for them again. */
function probeMargins(model: ScoredModel, set: FeatureSet): Evidence {
  const known = probes.get(model) ?? new Map<FeatureSet, Evidence>();
  probes.set(model, known);
  const found = known.get(set);
  if (found !== undefined) return found;
  const { unseen } = model;
  const probe = fitLinearProbe(featuresOf(model, "unseen"), unseen.labels, unseen.classes);
  for (const name of ["forget", "test"] as const) {
    const { labels } = model[name];
    known.set(name, { scores: probe.margins(featuresOf(model, name), labels), labels });
  }
  return known.get(set) as Evidence;
}

/** Margins of the forget samples less the mean of test samples: how good the features are in general does not count. */
function contrastedMargins(model: ScoredModel): Float64Array {
  const usual = mean(probeMargins(model, "test").scores);
  return probeMargins(model, "forget").scores.map((margin) => margin - usual);
}

function excessProbeMargins(
  model: ScoredModel,
  retrained: readonly ScoredModel[],
  set: "forget" | "test",
): Evidence {
  const { scores, labels } = probeMargins(model, set);
  const tables = retrained.map((other) => probeMargins(other, set).scores);
  return {
    scores: scores.map(
      (margin, row) =>
        margin - tables.reduce((sum, table) => sum + (table[row] as number), 0) / tables.length,
    ),
    labels,
  };
}

function alignedRows(model: ScoredModel): { readonly values: Float32Array; readonly width: number } {
  const parts = (["forget", "unseen"] as const).map((set) => {
    const { rows, size } = featuresOf(model, set);
    return rows.subarray(0, ALIGNED_SAMPLES * size);
  });
  const { size } = featuresOf(model, "forget");
  const values = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  values.set(parts[0] as Float32Array);
  values.set(parts[1] as Float32Array, parts[0]?.length ?? 0);
  return { values, width: size };
}

/** Measures of features are only asked of models that have them. */
function featuresOf(model: ScoredModel, set: FeatureSet): FeatureRows {
  return (model.features as NonNullable<ScoredModel["features"]>)[set];
}
