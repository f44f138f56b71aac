import type { Forward, Mode, OpenArchitecture } from "../models/architecture.ts";
import type { GraphBuilder, Value } from "../onnx/ir.ts";
import type { Shape } from "../onnx/shape.ts";
import type { DType } from "../onnx/tensor.ts";

/** Graph values by the names of the tensors they stand for. */
export type ParameterValues = ReadonlyMap<string, Value>;

/** How a forward pass is made. */
export interface PassOptions {
  /** `training` (a normalisation uses the batch's own statistics) when left out. */
  readonly mode?: Mode;
  /** Other weights than the ones that are trained: a teacher's, or those after a virtual step. */
  readonly weights?: ParameterValues;
  /**
   * Whether this pass moves the running statistics; true when left out for a pass in training mode with the step's own
   * weights. Several such passes move them one after the other.
   */
  readonly updatesBuffers?: boolean;
  /** Values of the model's further inputs by name; what is left out follows from the features. */
  readonly companions?: ReadonlyMap<string, Value>;
}

/**
 * What an objective is made of: its inputs, which exist by being asked for, and forward passes over them. Asking twice for
 * one name gives one input. A size's name is the batch's, so that `labels("forget")` has as many rows as
 * `features("forget")`.
 */
export interface ObjectiveContext {
  readonly graph: GraphBuilder;
  readonly architecture: OpenArchitecture;
  /** The weights the objective is differentiated at, parameters and buffers by name. */
  readonly weights: ParameterValues;
  /** The trainable ones among them. */
  readonly parameters: ParameterValues;
  /** A batch of inputs [batch, …inputShape], fed as `batch: { features }`. */
  features(batch: string): Value;
  /** Its class numbers, int64 [batch, …labelShape], fed as `batch: { labels }`. */
  labels(batch: string): Value;
  /** A number that may change from run to run, shape []. */
  scalar(name: string): Value;
  /**
   * Any other tensor; `forget:teacher` is fed as `forget: { teacher }`. A named size is that of a batch.
   *
   * @throws LETHE_DATA_DUPLICATE_NAME for a name that another tensor has
   */
  tensor(name: string, shape: Shape, dtype?: DType): Value;
  /** Another set of weights (a teacher), fed as a parameter set: parameters and buffers. */
  weightSet(name: string): ParameterValues;
  /** A tensor of every parameter's shape (masks, directions, an anchor), fed as a parameter set. */
  parameterSet(name: string): ParameterValues;
  /** Class scores of a batch. */
  forward(features: Value, options?: PassOptions): Forward;
}

/** A context and what an objective leaves in it. */
export interface OpenContext {
  readonly context: ObjectiveContext;
  readonly weights: ParameterValues;
  /** Inputs in the order they were asked for. */
  readonly fed: ReadonlyMap<string, Value>;
  /** The inputs of every pass with the step's own weights, or weights made of them. */
  readonly passes: readonly Value[];
  readonly nextBuffers: ReadonlyMap<string, Value>;
}

/** Opens a context over an empty graph. */
export function createContext(graph: GraphBuilder & InputGraph, architecture: OpenArchitecture): OpenContext {
  const declare = (prefix: string, role?: "parameter"): ParameterValues =>
    new Map(
      architecture.weights
        .filter((weight) => role === undefined || weight.role === role)
        .map(({ name, shape }) => [name, graph.input(`${prefix}${name}`, "float32", shape)]),
    );
  const weights = declare("");
  const parameters = new Map(
    architecture.weights
      .filter(({ role }) => role === "parameter")
      .map(({ name }) => [name, weights.get(name) as Value]),
  );
  const fed = new Map<string, Value>();
  const sets = new Map<string, ParameterValues>();
  const others = new Set<ParameterValues>();
  const passes: Value[] = [];
  const nextBuffers = new Map<string, Value>();

  const tensor: ObjectiveContext["tensor"] = (name, shape, dtype = "float32") => {
    const known = fed.get(name);
    if (known?.dtype === dtype && String(known.shape) === String(shape)) return known;
    // One name for two things ends here with an error.
    const value = graph.input(name, dtype, shape);
    fed.set(name, value);
    return value;
  };
  const set = (name: string, role?: "parameter"): ParameterValues => {
    const known = sets.get(name);
    if (known !== undefined) return known;
    const values = declare(`${name}:`, role);
    sets.set(name, values);
    for (const value of values.values()) fed.set(value.name, value);
    return values;
  };
  const weightSet = (name: string): ParameterValues => {
    const values = set(name);
    others.add(values);
    return values;
  };
  const forward: ObjectiveContext["forward"] = (features, options = {}) => {
    const { mode = "training", weights: used = weights } = options;
    const moves = options.updatesBuffers ?? (mode === "training" && used === weights);
    if (!others.has(used)) passes.push(features);
    const weightOf = (name: string): Value =>
      (moves ? nextBuffers.get(name) : undefined) ?? used.get(name) ?? (weights.get(name) as Value);
    const pass = architecture.forward(features, weightOf, mode, options.companions);
    if (moves) for (const [name, value] of pass.nextBuffers) nextBuffers.set(name, value);
    return pass;
  };
  const context: ObjectiveContext = {
    graph,
    architecture,
    weights,
    parameters,
    features: (batch) =>
      tensor(`${batch}:features`, [batch, ...architecture.inputShape], architecture.inputType),
    labels: (batch) => tensor(`${batch}:labels`, [batch, ...architecture.labelShape], "int64"),
    scalar: (name) => tensor(name, []),
    tensor,
    weightSet,
    parameterSet: (name) => set(name, "parameter"),
    forward,
  };
  return { context, weights, fed, passes, nextBuffers };
}

/** A graph that takes new inputs. */
interface InputGraph {
  input(name: string, dtype: DType, shape: Shape): Value;
}
