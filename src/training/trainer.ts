import type { ParameterSet } from "../kernel/parameters.ts";
import type { Architecture } from "../models/architecture.ts";
import type { RuntimeOptions } from "../runtime/program.ts";
import { compileStep, type TrainerState } from "./objective.ts";
import type { OptimizerConfig } from "./optimizers.ts";
import { type LossId, supervised } from "./step-graph.ts";

/** A compiled training step. */
export interface Trainer extends AsyncDisposable {
  /** The state before the first step: given weights, optimizer state zero. */
  start(weights: ParameterSet): TrainerState;
  /**
   * One minibatch.
   *
   * @param features - [batch, …inputShape], row-major; token ids too as numbers
   * @param labels - [batch, …labelShape]
   * @returns the state after it and the loss before it
   * @throws LETHE_NUMERIC_LOSS when the loss is NaN or infinite
   */
  step(
    state: TrainerState,
    features: Float32Array,
    labels: BigInt64Array | Float32Array,
    learningRate: number,
  ): Promise<{ readonly state: TrainerState; readonly loss: number }>;
}

/** Compiles the training step of an architecture: the objective is the loss of one batch. */
export async function createTrainer(
  architecture: Architecture,
  optimizer: OptimizerConfig,
  options: RuntimeOptions & { readonly loss?: LossId } = {},
): Promise<Trainer> {
  const objective = supervised(options.loss ?? "cross-entropy");
  const compiled = await compileStep(architecture, { objective, optimizer }, options);
  return {
    start: compiled.start,
    step: (state, features, labels, learningRate) =>
      compiled.step(state, { [architecture.inputName]: features, labels }, learningRate),
    [Symbol.asyncDispose]: () => compiled[Symbol.asyncDispose](),
  };
}
