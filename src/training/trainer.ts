import type { ParameterSet } from "../kernel/parameters.ts";
import type { Architecture } from "../models/architecture.ts";
import type { RuntimeOptions } from "../runtime/program.ts";
import { type Clipping, clippingTransform } from "./gradient-clipping.ts";
import { compileStep, type TrainerState } from "./objective.ts";
import type { OptimizerConfig } from "./optimizers.ts";
import { ANCHOR, type LossId, type SupervisedOptions, supervised } from "./step-graph.ts";

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

/** What a training step is besides its optimizer. */
export interface TrainerOptions extends RuntimeOptions, SupervisedOptions {
  /** Cross-entropy when left out. */
  readonly loss?: LossId | undefined;
  readonly clipping?: Clipping | undefined;
  /** Decay of the running average of weights that `averagedWeights` reads. */
  readonly averaging?: number | undefined;
  /** What a proximal penalty pulls towards; needed with one. */
  readonly anchor?: ParameterSet;
}

/** Compiles the training step of an architecture: the objective is the loss of one batch. */
export async function createTrainer(
  architecture: Architecture,
  optimizer: OptimizerConfig,
  options: TrainerOptions = {},
): Promise<Trainer> {
  const { averaging, anchor, proximal = 0 } = options;
  const transformGradients = clippingTransform(options.clipping ?? {});
  const compiled = await compileStep(
    architecture,
    {
      objective: supervised(options.loss ?? "cross-entropy", options),
      optimizer,
      ...(transformGradients === undefined ? {} : { transformGradients }),
      ...(averaging === undefined ? {} : { averaging }),
    },
    options,
  );
  const pull = proximal > 0 && anchor !== undefined ? { [ANCHOR]: anchor } : {};
  return {
    start: compiled.start,
    step: (state, features, labels, learningRate) =>
      compiled.step(state, { [architecture.inputName]: features, labels, ...pull }, learningRate),
    [Symbol.asyncDispose]: () => compiled[Symbol.asyncDispose](),
  };
}
