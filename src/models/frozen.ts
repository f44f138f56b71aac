import type { ParameterSet } from "../kernel/parameters.ts";
import type { GraphBuilder, Value } from "../onnx/ir.ts";
import type { OpenArchitecture } from "./architecture.ts";

/**
 * The same model with some weights as constants: they are no part of its parameter sets, and the written file holds them under
 * their own names.
 *
 * @param values - of the frozen weights at least
 */
export function withFrozen<Model extends OpenArchitecture>(
  architecture: Model,
  frozen: ReadonlySet<string>,
  values: ParameterSet,
): Model {
  const specs = architecture.weights.filter(({ name }) => frozen.has(name));
  const held: ParameterSet = new Map(specs.map(({ name }) => [name, values.get(name) as Float32Array]));
  // One constant a graph, however often the model is applied in it.
  const constants = new WeakMap<GraphBuilder, Map<string, Value>>();
  const constantsIn = (graph: GraphBuilder): Map<string, Value> => {
    const known = constants.get(graph);
    if (known !== undefined) return known;
    const made = new Map(
      specs.map(({ name, shape }) => {
        const data = held.get(name) as Float32Array;
        return [name, graph.constant({ dtype: "float32", shape, data }, name, name)] as const;
      }),
    );
    constants.set(graph, made);
    return made;
  };
  const { forward, rewrite } = architecture;
  const selected: OpenArchitecture = {
    ...architecture,
    weights: architecture.weights.filter(({ name }) => !frozen.has(name)),
    forward: (input, weightOf, mode, companions) => {
      const fixed = constantsIn(input.graph);
      return forward(input, (name) => fixed.get(name) ?? weightOf(name), mode, companions);
    },
    ...(rewrite && { rewrite: (weights, change) => rewrite(new Map([...held, ...weights]), change) }),
  };
  return selected as Model;
}
