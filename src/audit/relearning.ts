import { batchFiller } from "../data/batches.ts";
import type { Samples } from "../data/dataset.ts";
import { throwIfCancelled } from "../kernel/errors.ts";
import type { Progress } from "../kernel/events.ts";
import { type Key, randomStream } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { predictedClasses } from "../metrics/predictions.ts";
import { anamnesisIndex, relearnTime } from "../metrics/relearn-time.ts";
import { mean } from "../metrics/statistics/summary.ts";
import type { Architecture } from "../models/architecture.ts";
import type { RuntimeOptions } from "../runtime/program.ts";
import { createPredictor } from "../training/predictor.ts";
import { type Recipe, rateOf } from "../training/recipe.ts";
import { createTrainer } from "../training/trainer.ts";

/** Which models are taught the forget samples again. */
export interface RelearningRequest {
  readonly architecture: Architecture;
  /** Its optimizer, rate and batch size, the same for every model. */
  readonly recipe: Recipe;
  readonly forget: Samples;
  readonly original: ParameterSet;
  readonly unlearned: ParameterSet;
  readonly retrained: readonly ParameterSet[];
  /** Decides the order of the samples, the same for every model. */
  readonly key: Key;
  readonly runtime: RuntimeOptions;
  readonly signal?: AbortSignal | undefined;
}

/** How fast the forget samples are learnt again. */
export interface Relearning {
  /** Steps until the accuracy on the forget samples is 95 % of the original's; the cap where a model did not get there. */
  readonly steps: {
    readonly original: number;
    readonly unlearned: number;
    readonly retrained: readonly number[];
  };
  /** (t_U + 0.01)/(t_R + 0.01), t_R the mean of the retrained models': 1 is like retrained, near 0 knowledge was left. */
  readonly anamnesis: number;
  /** Steps after which a model was given up. */
  readonly cap: number;
}

/** Retrained models that are taught: the index rests on their mean. */
const MOST_RETRAINED = 8;
/** Steps given: a model that needs more is no less forgetful than a retrained one. */
const CAP = 200;

/**
 * Relearn time and anamnesis index: every model is trained on the forget samples alone, in one order, and looked at after each step.
 *
 * Cost: up to 200 steps, each with a forward pass over the forget samples, for each of up to ten models.
 *
 * @throws LETHE_NUMERIC_LOSS, LETHE_CANCELLED
 * @see A. K. Tarun et al. 2021, arXiv 2111.08947; V. S. Chundawat et al. 2023, arXiv 2201.05629
 */
export async function* measureRelearning(request: RelearningRequest): Progress<Relearning> {
  const { architecture, recipe, forget, original, unlearned, runtime, signal } = request;
  const retrained = request.retrained.slice(0, MOST_RETRAINED);
  await using predictor = await createPredictor(architecture, runtime);
  await using trainer = await createTrainer(architecture, recipe.optimizer, {
    ...runtime,
    ...recipe,
    // There is nothing to be pulled towards: whence a model comes must not matter.
    proximal: 0,
  });
  const accuracyOf = async (weights: ParameterSet): Promise<number> => {
    const predicted = predictedClasses(await predictor.logitsOf(weights, forget), architecture.classes);
    return mean(Float64Array.from(forget.labels, (label, row) => Number(predicted[row] === label)));
  };
  const known = await accuracyOf(original);
  const stepsOf = async (weights: ParameterSet): Promise<number> => {
    const accuracies = [await accuracyOf(weights)];
    const fill = batchFiller(forget, recipe.batchSize);
    const order = randomStream(request.key);
    let state = trainer.start(weights);
    while (relearnTime(accuracies, known) === undefined && accuracies.length <= CAP) {
      const epoch = order.permutation(forget.count);
      for (let at = 0; at < epoch.length && accuracies.length <= CAP; at += recipe.batchSize) {
        throwIfCancelled(signal);
        const { features, labels } = fill(epoch.subarray(at, at + recipe.batchSize));
        ({ state } = await trainer.step(state, features, labels, rateOf(recipe)));
        accuracies.push(await accuracyOf(state.weights));
        if (relearnTime(accuracies, known) !== undefined) break;
      }
    }
    return relearnTime(accuracies, known) ?? CAP;
  };
  const of = 2 + retrained.length;
  const steps = {
    original: await stepsOf(original),
    unlearned: await stepsOf(unlearned),
    retrained: [] as number[],
  };
  yield { type: "step", step: 2, of, scalars: {} };
  for (const weights of retrained) {
    steps.retrained.push(await stepsOf(weights));
    yield { type: "step", step: 2 + steps.retrained.length, of, scalars: {} };
  }
  return { steps, anamnesis: anamnesisIndex(steps.unlearned, mean(steps.retrained)), cap: CAP };
}
