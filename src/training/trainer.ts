import { LetheError } from "../kernel/errors.ts";
import { sizeOf } from "../kernel/layout.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import type { Architecture } from "../models/architecture.ts";
import { denseFlops } from "../onnx/flops.ts";
import { compileProgram, type NumericArray, type RuntimeOptions } from "../runtime/program.ts";
import { threadsFor } from "../runtime/threads.ts";
import type { OptimizerConfig } from "./optimizers.ts";
import { buildStepGraph, type LossId } from "./step-graph.ts";

/** Weights and optimizer state between two steps. Plain data: saving it and going on gives the same bits. */
export interface TrainerState {
  readonly weights: ParameterSet;
  /** By `SLOT:NAME`. */
  readonly optimizer: ParameterSet;
  /** Steps taken. */
  readonly step: number;
}

/** A compiled training step. */
export interface Trainer extends AsyncDisposable {
  /** The state before the first step: given weights, optimizer state zero. */
  start(weights: ParameterSet): TrainerState;
  /**
   * One minibatch.
   *
   * @param features - [batch, …inputShape], row-major
   * @param labels - [batch]
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

/** The batch size for which the number of threads is chosen; the graph itself takes any. */
const TYPICAL_BATCH = 64;

/** Compiles the training step of an architecture. */
export async function createTrainer(
  architecture: Architecture,
  optimizer: OptimizerConfig,
  options: RuntimeOptions & { readonly loss?: LossId } = {},
): Promise<Trainer> {
  const graph = buildStepGraph(architecture, { loss: options.loss ?? "cross-entropy", optimizer });
  const flops = denseFlops(graph.contents.outputs.get("loss")?.graph.nodes ?? [], TYPICAL_BATCH);
  const program = await compileProgram(graph.contents, {
    ...options,
    threads: threadsFor(flops, options.threads),
  });
  const rate = new Float32Array(1);
  const count = new Float32Array(1);

  const start: Trainer["start"] = (weights) => ({
    weights,
    optimizer: new Map(graph.state.map(({ name, shape }) => [name, new Float32Array(sizeOf(shape))])),
    step: 0,
  });
  const step: Trainer["step"] = async (state, features, labels, learningRate) => {
    rate[0] = learningRate;
    count[0] = state.step + 1;
    const feeds: Record<string, NumericArray> = {
      [architecture.inputName]: features,
      labels,
      "learning-rate": rate,
      step: count,
    };
    for (const [name, values] of state.weights) feeds[name] = values;
    for (const [name, values] of state.optimizer) feeds[name] = values;
    const results = await program.run(feeds);
    const loss = (results.loss as Float32Array)[0] as number;
    if (!Number.isFinite(loss)) {
      throw new LetheError(
        "numeric",
        "NUMERIC_LOSS",
        `Expected a finite loss, got ${loss} in step ${state.step + 1}. Lower the learning rate or look for NaN in the data.`,
        { details: { step: state.step + 1 } },
      );
    }
    const next = (name: string, old: Float32Array): Float32Array =>
      (results[`next:${name}`] ?? old) as Float32Array;
    return {
      loss,
      state: {
        weights: new Map([...state.weights].map(([name, old]) => [name, next(name, old)])),
        optimizer: new Map([...state.optimizer].map(([name, old]) => [name, next(name, old)])),
        step: state.step + 1,
      },
    };
  };
  return { start, step, [Symbol.asyncDispose]: () => program.dispose() };
}
