import { operators } from "../autodiff/operators/index.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import type { Architecture } from "../models/architecture.ts";
import { Graph } from "../onnx/graph.ts";
import type { Value } from "../onnx/ir.ts";
import type { NumericArray, RuntimeOptions } from "../runtime/program.ts";
import { compileGraph } from "./compile-graph.ts";
import { type Feeds, flatFeeds } from "./feeds.ts";
import { createContext, type ObjectiveContext } from "./objective-context.ts";

/** Compiled values of a model: whatever the graph computes from weights and feeds. */
export interface CompiledValues extends AsyncDisposable {
  /** @throws LETHE_USAGE_FEED for feeds that are missing, unknown or of another length */
  run(weights: ParameterSet, feeds: Feeds): Promise<Readonly<Record<string, NumericArray>>>;
}

/**
 * Compiles named values over an architecture: features, norms, curvature products, everything that is no loss to be minimised
 * ({@link compileObjective} is for those).
 *
 * @example
 * await using values = await compileValues(architecture, (context) => ({
 *   losses: crossEntropies(context.forward(context.features("data")).logits, context.labels("data")),
 * }));
 * const { losses } = await values.run(weights, { data: { features, labels } });
 */
export async function compileValues(
  architecture: Architecture,
  define: (context: ObjectiveContext) => Readonly<Record<string, Value>>,
  runtime: RuntimeOptions = {},
): Promise<CompiledValues> {
  const graph = new Graph(operators);
  const { context, weights, fed } = createContext(graph, architecture);
  const named = Object.entries(define(context));
  const inputs = [...fed.values()];
  const program = await compileGraph(
    graph,
    {
      name: `${architecture.id} values`,
      inputs: [...inputs, ...weights.values()],
      outputs: new Map(named.map(([name, value]) => [`out:${name}`, value])),
    },
    runtime,
  );
  return {
    async run(parameters, feeds) {
      const results = await program.run({ ...flatFeeds(inputs, feeds), ...Object.fromEntries(parameters) });
      return Object.fromEntries(named.map(([name]) => [name, results[`out:${name}`] as NumericArray]));
    },
    [Symbol.asyncDispose]: () => program.dispose(),
  };
}
