import { LetheError } from "../kernel/errors.ts";
import { sizeOf } from "../kernel/layout.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import type { Architecture } from "../models/architecture.ts";
import type { NumericArray, RuntimeOptions } from "../runtime/program.ts";
import { compileGraph } from "./compile-graph.ts";
import { type Feeds, flatFeeds } from "./feeds.ts";
import { buildObjectiveGraph, type ObjectiveGraph, type ObjectiveGraphOptions } from "./objective-graph.ts";
import type { OptimizerConfig } from "./optimizers.ts";

/** Weights and optimizer state between two steps. Plain data: saving it and going on gives the same bits. */
export interface TrainerState {
  readonly weights: ParameterSet;
  /** By `SLOT:NAME`. */
  readonly optimizer: ParameterSet;
  /** Steps taken. */
  readonly step: number;
}

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
        ...reportOf(graph, flat, results, "the objective"),
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
  const rate = new Float32Array(1);
  const count = new Float32Array(1);
  return {
    start: (weights) => ({
      weights,
      optimizer: new Map(graph.state.map(({ name, shape }) => [name, new Float32Array(sizeOf(shape))])),
      step: 0,
    }),
    async step(state, feeds, learningRate) {
      rate[0] = learningRate;
      count[0] = state.step + 1;
      const flat = flatFeeds(graph.fed, feeds);
      const inputs: Record<string, NumericArray> = { ...flat, "learning-rate": rate, step: count };
      const optimizer = new Map(state.optimizer);
      for (const { name, shape } of graph.state) {
        if (!optimizer.has(name)) optimizer.set(name, new Float32Array(sizeOf(shape)));
      }
      for (const [name, values] of state.weights) inputs[name] = values;
      for (const [name, values] of optimizer) inputs[name] = values;
      const results = await program.run(inputs);
      const next = (name: string, old: Float32Array): Float32Array =>
        (results[`next:${name}`] ?? old) as Float32Array;
      return {
        ...reportOf(graph, flat, results, `step ${state.step + 1}`, { step: state.step + 1 }),
        state: {
          weights: new Map([...state.weights].map(([name, old]) => [name, next(name, old)])),
          optimizer: new Map([...optimizer].map(([name, old]) => [name, next(name, old)])),
          step: state.step + 1,
        },
      };
    },
    [Symbol.asyncDispose]: () => program.dispose(),
  };
}

function reportOf(
  graph: ObjectiveGraph,
  feeds: Readonly<Record<string, NumericArray>>,
  results: Readonly<Record<string, NumericArray>>,
  where: string,
  details: Readonly<Record<string, number>> = {},
): ObjectiveRun {
  const loss = (results.loss as Float32Array)[0] as number;
  if (!Number.isFinite(loss)) {
    throw new LetheError(
      "numeric",
      "NUMERIC_LOSS",
      `Expected a finite loss, got ${loss} in ${where}. Lower the learning rate or look for NaN in the data.`,
      { details },
    );
  }
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
