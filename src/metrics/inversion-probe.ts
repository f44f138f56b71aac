import { z } from "zod";
import { deriveKey, type Key, randomStream } from "../kernel/key.ts";
import { anyScope, defineMetric } from "./contract.ts";
import { expectAtLeast, expectFinite, expectSameLength, parseMetricSettings } from "./metric-input.ts";
import { rankProbability } from "./statistics/rank-probability.ts";
import { mean } from "./statistics/summary.ts";

const config = z.strictObject({
  /** Descent steps, each one gradient. */
  steps: z.int().min(1).default(200),
  /** Longest way an input value moves in the first step; it shrinks linearly to 0, as a share of the range. */
  stepFraction: z.number().gt(0).max(1).default(0.05),
  /** Weight of the pull between neighbouring values of a row or column, per squared difference; 0 without a grid. */
  smoothness: z.number().gte(0).default(0),
});

/** What the probe attacks: one loss over inputs, such as the cross-entropy of a class or the distance to a known gradient. */
export interface InversionTarget {
  /** Numbers in an input. */
  readonly size: number;
  /** Columns of the grid the values form, for smoothness; left out: no neighbours. */
  readonly columns?: number;
  /** The least and largest value an input may have. */
  readonly range: readonly [low: number, high: number];
  /** The loss at an input and its gradient with respect to the input, both of the model under test. */
  readonly gradient: (
    input: Float32Array,
  ) => Promise<{ readonly loss: number; readonly gradient: Float32Array }>;
}

/** What came out. */
export interface InversionOutcome {
  /** The reconstructed input, in the range: a picture for images. */
  readonly picture: Float32Array;
  /** Loss before each step [steps]. */
  readonly losses: readonly number[];
  /** Largest correlation with a forget sample, and with a held-out sample of the same class, in [−1, 1]. */
  readonly forgetResemblance: number;
  readonly holdoutResemblance: number;
  /** P(a forget sample resembles the picture more than a held-out one), ½: no more alike than strangers. */
  readonly auc: number;
}

/**
 * Model inversion: descends the loss over inputs from a grey start with a little noise, and asks whether the picture found
 * resembles what was to be forgotten more than unseen samples of the same class,
 * x ← clip(x − η_t g/‖g‖_∞), g the gradient of loss + smoothness · Σ (differences of neighbours)².
 *
 * @param target - the loss, given as a callback so that any engine may compute it
 * @param forget - inputs to be forgotten [samples][size]; at least one
 * @param holdout - inputs of the same class never trained on [samples][size]; at least one
 * @param key - decides the start
 * @throws LETHE_DATA_SHAPE, LETHE_DATA_TOO_FEW, LETHE_NUMERIC_NOT_FINITE, LETHE_USAGE_CONFIG
 * @see M. Fredrikson et al. 2015, Model inversion attacks that exploit confidence information; with the distance of gradients as
 * loss: L. Zhu et al. 2019, arXiv 1906.08935. Cost: `steps` input gradients.
 */
export async function inversionProbe(
  target: InversionTarget,
  forget: readonly Float32Array[],
  holdout: readonly Float32Array[],
  key: Key,
  settings?: z.input<typeof config>,
): Promise<InversionOutcome> {
  const metric = "inversion";
  const { steps, stepFraction, smoothness } = parseMetricSettings(metric, config, settings);
  const { size, range, columns, gradient: gradientAt } = target;
  for (const [name, inputs] of Object.entries({ forget, holdout })) {
    expectAtLeast(metric, `${name} inputs`, inputs.length, 1);
    for (const input of inputs) {
      expectSameLength(metric, { input, "input of the model": { length: size } });
      expectFinite(metric, `${name} inputs`, input);
    }
  }
  const [low, high] = range;
  expectFinite(metric, "range", range);
  const stream = randomStream(deriveKey(key, "inversion"));
  // A start without noise would leave symmetric models without a direction; 1 % is invisible.
  const picture = Float32Array.from(
    { length: size },
    () => (low + high) / 2 + 0.01 * (high - low) * stream.normal(),
  );
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const { loss, gradient } = await gradientAt(picture.slice());
    expectSameLength(metric, { gradient, "input of the model": { length: size } });
    expectFinite(metric, "gradient", gradient);
    losses.push(loss);
    const direction = Float64Array.from(gradient);
    if (smoothness > 0 && columns !== undefined) addRoughness(direction, picture, columns, smoothness);
    const largest = direction.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    if (largest === 0) break;
    const length = stepFraction * (high - low) * (1 - step / steps);
    for (let index = 0; index < size; index++) {
      const moved = (picture[index] as number) - (length * (direction[index] as number)) / largest;
      picture[index] = Math.max(low, Math.min(high, moved));
    }
  }
  const toForget = forget.map((input) => correlation(picture, input));
  const toHoldout = holdout.map((input) => correlation(picture, input));
  return {
    picture,
    losses,
    forgetResemblance: Math.max(...toForget),
    holdoutResemblance: Math.max(...toHoldout),
    auc: rankProbability(toHoldout, toForget),
  };
}

/** Adds the gradient of weight · Σ (x_i − x_neighbour)² over horizontal and vertical neighbours. */
function addRoughness(into: Float64Array, picture: Float32Array, columns: number, weight: number): void {
  for (let index = 0; index < picture.length; index++) {
    const neighbours = [(index + 1) % columns === 0 ? -1 : index + 1, index + columns];
    for (const neighbour of neighbours) {
      if (neighbour < 0 || neighbour >= picture.length) continue;
      const pull = 2 * weight * ((picture[index] as number) - (picture[neighbour] as number));
      (into[index] as number) += pull;
      (into[neighbour] as number) -= pull;
    }
  }
}

/** Pearson's correlation; 0 where one of the two does not vary. */
function correlation(a: Float32Array, b: Float32Array): number {
  const [centreA, centreB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let index = 0; index < a.length; index++) {
    const [x, y] = [(a[index] as number) - centreA, (b[index] as number) - centreB];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb);
}

/** Model inversion. */
export const inversionMetric = defineMetric({
  id: "inversion",
  title: "Model inversion: does a picture drawn from the model show the forgotten data?",
  references: [
    "M. Fredrikson et al. 2015, CCS, Model inversion attacks",
    "L. Zhu et al. 2019, arXiv 1906.08935",
  ],
  scope: anyScope,
  needs: ["forget", "holdout", "gradients", "retrained"],
  formula: "P(corr(x̂, forget) > corr(x̂, held-out)), x̂ = argmin of the loss over inputs",
  range:
    "AUC 0 to 1; ½: the picture is no more like the forgotten samples than like strangers of their class",
  direction: "as retrained",
  cost: "200 input gradients",
  guarantee:
    "An AUC clearly above the retrained model's, with a picture to look at, shows data that come back out of the weights.",
  doesNotShow:
    "That nothing can be reconstructed: other starts, priors or a gradient seen in training may show more.",
  config,
  compute: inversionProbe,
});
