import type { Samples } from "../../data/dataset.ts";
import type { ModelLayout } from "../../kernel/layout.ts";
import { unflatten } from "../../kernel/parameters.ts";
import { accuracy } from "../../metrics/accuracy.ts";
import { lossMembership, type MembershipResult } from "../../metrics/membership.ts";
import { predictedClasses, sampleLosses } from "../../metrics/predictions.ts";
import type { Predictor } from "../../training/predictor.ts";
import type { Population } from "./population.ts";

/** What is measured of one model. */
export interface Measurement {
  /** On clean test samples. */
  readonly accuracy: number;
  /** On test samples under attack: share that does what the attacker wants. */
  readonly attackSuccess: number | undefined;
  /** On the leavers' own samples with their true labels. */
  readonly removedClientAccuracy: number;
  readonly membership: MembershipResult;
  /** Predicted classes of the clean test samples. */
  readonly predicted: Int32Array;
  /** Predicted classes of the test samples under attack. */
  readonly predictedAttacked: Int32Array | undefined;
}

/** Measures models of one layout on one population. */
export interface Measurer {
  /** Everything, on all samples. */
  measure(weights: Float32Array): Promise<Measurement>;
  /** Accuracy and attack success on the first `curveSamples` test samples: for a point of a curve. */
  glance(
    weights: Float32Array,
  ): Promise<{ readonly accuracy: number; readonly attackSuccess: number | undefined }>;
  /** Predicted classes of raw inputs. */
  predict(weights: Float32Array, features: Float32Array): Promise<Int32Array>;
}

/** Binds a predictor to the samples a simulation is judged on; their features are gathered once. */
export function createMeasurer(
  predictor: Predictor,
  layout: ModelLayout,
  test: Samples,
  population: Population,
  curveSamples: number,
): Measurer {
  const classes = test.classCount;
  const clean = gathered(test);
  const removed = gathered(population.leaverSamples);
  const attacked = population.attacked && gathered(population.attacked);
  const predict: Measurer["predict"] = async (weights, features) =>
    predictedClasses(await predictor.logits(unflatten(layout, weights), features), classes);
  const shareRight = async (weights: Float32Array, { features, labels }: Gathered): Promise<number> => {
    const count = Math.min(curveSamples, labels.length);
    const part = features.subarray(0, count * test.featureLength);
    return accuracy(await predict(weights, part), labels.subarray(0, count));
  };

  return {
    measure: async (weights) => {
      const set = unflatten(layout, weights);
      const cleanLogits = await predictor.logits(set, clean.features);
      const removedLogits = await predictor.logits(set, removed.features);
      const predicted = predictedClasses(cleanLogits, classes);
      const predictedAttacked = attacked && (await predict(weights, attacked.features));
      return {
        accuracy: accuracy(predicted, clean.labels),
        attackSuccess: attacked && predictedAttacked && accuracy(predictedAttacked, attacked.labels),
        removedClientAccuracy: accuracy(predictedClasses(removedLogits, classes), removed.labels),
        membership: lossMembership(
          sampleLosses(removedLogits, removed.labels, classes),
          removed.labels,
          sampleLosses(cleanLogits, clean.labels, classes),
          clean.labels,
        ),
        predicted,
        predictedAttacked,
      };
    },
    glance: async (weights) => ({
      accuracy: await shareRight(weights, clean),
      attackSuccess: attacked && (await shareRight(weights, attacked)),
    }),
    predict,
  };
}

interface Gathered {
  /** [count, featureLength] */
  readonly features: Float32Array;
  readonly labels: Int32Array;
}

function gathered(samples: Samples): Gathered {
  const features = new Float32Array(samples.count * samples.featureLength);
  samples.gather(
    Uint32Array.from({ length: samples.count }, (_, position) => position),
    features,
  );
  return { features, labels: samples.labels };
}
