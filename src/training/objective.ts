import { sizeOf } from "../kernel/layout.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import type { Architecture } from "../models/architecture.ts";
import type { NumericArray, RuntimeOptions } from "../runtime/program.ts";
import { compileGraph } from "./compile-graph.ts";
import { type Feeds, flatFeeds } from "./feeds.ts";
import { buildObjectiveGraph, type ObjectiveGraph, type ObjectiveGraphOptions } from "./objective-graph.ts";
import type { OptimizerConfig } from "./optimizers.ts";
import { finiteLoss, startState, type TrainerState, takeStep } from "./take-step.ts";

export type { TrainerState } from "./take-step.ts";

/** What a run of an objective tells besides its result. */
export interface ObjectiveRun {
  readonly loss: number;
  /** The objective's own outputs by name. */
  readonly outputs: Readonly<Record<string, NumericArray>>;
  /** Samples × backward passes of this run. */
  readonly gradientEvaluations: number;
}

/** A compiled objective: its value and gradients. */
export interface CompiledObjective extends AsyncDisposable {
  /**
   * @param weights - the point; a buffer no pass reads may be left out
   * @returns gradients of the trained parameters by name; none unless they were asked for
   * @throws LETHE_NUMERIC_LOSS when the loss is NaN or infinite; LETHE_USAGE_FEED for feeds that are missing, unknown or of
   *   another length
   */
  evaluate(weights: ParameterSet, feeds: Feeds): Promise<ObjectiveRun & { readonly gradients: ParameterSet }>;
}

/** A compiled objective with its optimizer: one run a step. */
export interface CompiledStep extends AsyncDisposable {
  /** The state before the first step: given weights, optimizer state zero. */
  start(weights: ParameterSet): TrainerState;
  /**
   * One step. Optimizer state that `state` has not yet, of parameters no earlier objective trained, starts at zero.
   *
   * @returns the state after it and the loss before it; tensors that are not trained are those of `state`, not copies
   * @throws as {@link CompiledObjective.evaluate}
   */
  step(
    state: TrainerState,
    feeds: Feeds,
    learningRate: number,
  ): Promise<ObjectiveRun & { readonly state: TrainerState }>;
}

/**
 * Compiles a scalar function of the weights, and its gradients: one graph, one run for a value.
 *
 * @example
 * await using objective = await compileObjective(architecture, {
 *   objective: (context) => {
 *     const features = context.features("forget");
 *     const student = context.forward(features).logits;
 *     const teacher = context.forward(features, { mode: "inference", weights: context.weightSet("teacher") }).logits;
 *     return { loss: mul(klDivergence(teacher, student), context.scalar("alpha")) };
 *   },
 *   gradients: true,
 * });
 * const { loss, gradients } = await objective.evaluate(weights, { forget: { features }, teacher, alpha: 0.5 });
 */
export async function compileObjective(
  architecture: Architecture,
  options: Omit<ObjectiveGraphOptions, "optimizer" | "transformWeights">,
  runtime: RuntimeOptions = {},
): Promise<CompiledObjective> {
  const graph = buildObjectiveGraph(architecture, options);
  const program = await compileGraph(graph.loss.graph, graph.contents, runtime);
  const wanted = options.gradients ? graph.trained : [];
  return {
    async evaluate(weights, feeds) {
      const flat = flatFeeds(graph.fed, feeds);
      const results = await program.run({ ...flat, ...Object.fromEntries(weights) });
      return {
        ...reportOf(graph, flat, results, finiteLoss(results, "the objective")),
        gradients: new Map(wanted.map((name) => [name, results[`grad:${name}`] as Float32Array])),
      };
    },
    [Symbol.asyncDispose]: () => program.dispose(),
  };
}

/**
 * Compiles one optimizer step on an objective. Steps of several objectives may take turns on one state when their optimizers
 * keep the same vectors, whichever parameters each of them trains.
 */
export async function compileStep(
  architecture: Architecture,
  options: Omit<ObjectiveGraphOptions, "gradients"> & { readonly optimizer: OptimizerConfig },
  runtime: RuntimeOptions = {},
): Promise<CompiledStep> {
  const graph = buildObjectiveGraph(architecture, options);
  const program = await compileGraph(graph.loss.graph, graph.contents, runtime);
  return {
    start: (weights) => startState(weights, graph.state),
    async step(state, feeds, learningRate) {
      const flat = flatFeeds(graph.fed, feeds);
      const optimizer = new Map(state.optimizer);
      for (const { name, shape } of graph.state) {
        if (!optimizer.has(name)) optimizer.set(name, new Float32Array(sizeOf(shape)));
      }
      const {
        state: next,
        loss,
        results,
      } = await takeStep(program, { ...state, optimizer }, flat, learningRate);
      return { ...reportOf(graph, flat, results, loss), state: next };
    },
    [Symbol.asyncDispose]: () => program.dispose(),
  };
}

function reportOf(
  graph: ObjectiveGraph,
  feeds: Readonly<Record<string, NumericArray>>,
  results: Readonly<Record<string, NumericArray>>,
  loss: number,
): ObjectiveRun {
  const rows = graph.passes.map((pass) => {
    switch (pass.kind) {
      case "fixed":
        return pass.rows;
      case "fed":
        return (feeds[pass.input]?.length ?? 0) / pass.rowLength;
      case "computed":
        return Number(results[pass.output]?.[0]);
      default:
        return pass satisfies never;
    }
  });
  return {
    loss,
    outputs: Object.fromEntries(graph.outputs.map((name) => [name, results[`out:${name}`] as NumericArray])),
    gradientEvaluations: rows.reduce((sum, count) => sum + count, 0) * graph.backwardPasses,
  };
}
