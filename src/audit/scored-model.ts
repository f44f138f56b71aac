import type { Samples } from "../data/dataset.ts";
import { type Digest, digestArrays } from "../kernel/digest.ts";
import { isLetheError } from "../kernel/errors.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { expectScored, type ScoredSamples } from "../metrics/scored-samples.ts";
import type { Architecture } from "../models/architecture.ts";
import type { RuntimeOptions } from "../runtime/program.ts";
import { compileFeatures, type FeatureExtractor, type FeatureRows } from "../training/features/features.ts";
import { createPredictor } from "../training/predictor.ts";

/** The samples an audit looks at. No sample is in two sets. */
export interface AuditSets {
  /** What was to be forgotten. */
  readonly forget: Samples;
  /** What every model compared was trained on. */
  readonly retain: Samples;
  /** Never trained on by any model: attacks and probes are fitted on them. */
  readonly unseen: Samples;
  /** Never trained on either: for figures alone, nothing is fitted on them. */
  readonly test: Samples;
}

/** What one model makes of each set. */
export interface ScoredModel extends Readonly<Record<keyof AuditSets, ScoredSamples>> {
  readonly digest: Digest;
  /** What goes into the last dense layer; left out for models without one. */
  readonly features?: Readonly<Record<"forget" | "unseen" | "test", FeatureRows>>;
}

/** Scores models one after the other on the same samples. */
export interface Scorer extends AsyncDisposable {
  /** @throws LETHE_NUMERIC_NOT_FINITE for scores that are no numbers */
  score(weights: ParameterSet): Promise<ScoredModel>;
}

/** Compiles what an audit needs of an architecture: class scores and, where a dense layer ends it, features. */
export async function createScorer(
  architecture: Architecture,
  sets: AuditSets,
  runtime: RuntimeOptions,
): Promise<Scorer> {
  const opened = new AsyncDisposableStack();
  const predictor = opened.use(await createPredictor(architecture, runtime));
  const extractor = await featuresIfAny(architecture, runtime);
  if (extractor !== undefined) opened.use(extractor);
  return {
    async score(weights) {
      const scoredOn = async (name: keyof AuditSets): Promise<ScoredSamples> => {
        const logits = await predictor.logitsOf(weights, sets[name]);
        const scored = { logits, labels: sets[name].labels, classes: architecture.classes };
        expectScored("audit", name, scored);
        return scored;
      };
      const featuresOn = async (name: keyof AuditSets, from: FeatureExtractor): Promise<FeatureRows> =>
        from.featuresOf(weights, sets[name]);
      return {
        digest: digestArrays(weights),
        forget: await scoredOn("forget"),
        retain: await scoredOn("retain"),
        unseen: await scoredOn("unseen"),
        test: await scoredOn("test"),
        ...(extractor && {
          features: {
            forget: await featuresOn("forget", extractor),
            unseen: await featuresOn("unseen", extractor),
            test: await featuresOn("test", extractor),
          },
        }),
      };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Models that no dense layer ends have no features by this definition. */
async function featuresIfAny(
  architecture: Architecture,
  runtime: RuntimeOptions,
): Promise<FeatureExtractor | undefined> {
  try {
    return await compileFeatures(architecture, runtime);
  } catch (error) {
    if (isLetheError(error) && error.code === "LETHE_USAGE_FEATURES") return undefined;
    throw error;
  }
}
