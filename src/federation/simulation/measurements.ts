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

/** Binds a predictor to the samples a simulation is judged on. */
export function createMeasurer(
  predictor: Predictor,
  layout: ModelLayout,
  test: Samples,
  population: Population,
  curveSamples: number,
): Measurer {
  const classes = test.classCount;
  const { leaverSamples, attacked } = population;
  const classesOf = async (weights: Float32Array, samples: Samples): Promise<Int32Array> =>
    predictedClasses(await predictor.logitsOf(unflatten(layout, weights), samples), classes);
  const few = firstOf(test, curveSamples);
  const fewAttacked = attacked && firstOf(attacked, curveSamples);

  return {
    measure: async (weights) => {
      const set = unflatten(layout, weights);
      const testLogits = await predictor.logitsOf(set, test);
      const leaverLogits = await predictor.logitsOf(set, leaverSamples);
      const predicted = predictedClasses(testLogits, classes);
      const predictedAttacked = attacked && (await classesOf(weights, attacked));
      return {
        accuracy: accuracy(predicted, test.labels),
        attackSuccess: attacked && predictedAttacked && accuracy(predictedAttacked, attacked.labels),
        removedClientAccuracy: accuracy(predictedClasses(leaverLogits, classes), leaverSamples.labels),
        membership: lossMembership(
          sampleLosses(leaverLogits, leaverSamples.labels, classes),
          leaverSamples.labels,
          sampleLosses(testLogits, test.labels, classes),
          test.labels,
        ),
        predicted,
        predictedAttacked,
      };
    },
    glance: async (weights) => ({
      accuracy: accuracy(await classesOf(weights, few), few.labels),
      attackSuccess: fewAttacked && accuracy(await classesOf(weights, fewAttacked), fewAttacked.labels),
    }),
    predict: async (weights, features) =>
      predictedClasses(await predictor.logits(unflatten(layout, weights), features), classes),
  };
}

function firstOf(samples: Samples, count: number): Samples {
  if (samples.count <= count) return samples;
  return samples.subset(Uint32Array.from({ length: count }, (_, index) => index));
}
