import { gradients } from "../autodiff/gradients.ts";
import { operators } from "../autodiff/operators/index.ts";
import { LetheError } from "../kernel/errors.ts";
import type { TensorLayout } from "../kernel/layout.ts";
import type { OpenArchitecture } from "../models/architecture.ts";
import { moveStatistic } from "../models/batch-norm.ts";
import { countOf } from "../onnx/functions/index.ts";
import { Graph } from "../onnx/graph.ts";
import type { Value } from "../onnx/ir.ts";
import type { ModelContents } from "../onnx/write-model.ts";
import { createContext, type ObjectiveContext, type ParameterValues } from "./objective-context.ts";
import { type OptimizerConfig, optimizerStep, stateNames } from "./optimizers.ts";

/** The state that carries the running sum of weights: `average:NAME`. */
export const AVERAGE = "average";

/** What an objective function gives. */
export interface Objective {
  /** The scalar that is minimised. */
  readonly loss: Value;
  /** Further values to be given back by every run: parts of the loss, logits, norms. */
  readonly outputs?: Readonly<Record<string, Value>>;
  /** New values of buffers that the objective itself moves, by name: a running mean of its own. */
  readonly nextBuffers?: ReadonlyMap<string, Value>;
  /**
   * Backward passes a sample costs, for the count only: 1 when left out, 2 where the loss itself holds a gradient. One less where
   * no gradients of parameters are taken.
   */
  readonly backwardPasses?: number;
}

/** Replaces values of the trained parameters (gradients, or the weights after a step) by others of the same shapes. */
export type ParameterTransform = (values: ParameterValues, context: ObjectiveContext) => ParameterValues;

/** What an objective graph is built from. */
export interface ObjectiveGraphOptions {
  readonly objective: (context: ObjectiveContext) => Objective;
  /** Which parameters are trained; all when left out. The others are held, their optimizer state does not exist. */
  readonly trained?: (name: string) => boolean;
  /** Give the gradients of the trained parameters. */
  readonly gradients?: boolean;
  /** Adds the step to the graph. */
  readonly optimizer?: OptimizerConfig;
  /** Applied to the gradients before they are given or used: mask, clip, project. */
  readonly transformGradients?: ParameterTransform;
  /** Applied to the weights behind the optimizer: hold a sparsity pattern, stay in a ball. */
  readonly transformWeights?: ParameterTransform;
  /** Decay d in (0, 1) of a running sum of the weights, a ← d·a + (1 − d)·w, for {@link averagedWeights}. */
  readonly averaging?: number;
}

/** Where a run's number of rows in one forward pass is to be read. */
export type RowCount =
  | { readonly kind: "fixed"; readonly rows: number }
  | { readonly kind: "fed"; readonly input: string; readonly rowLength: number }
  | { readonly kind: "computed"; readonly output: string };

/** An objective as a graph: `loss`, `out:NAME`, `grad:NAME`, with an optimizer `next:NAME` and `next:SLOT:NAME`. */
export interface ObjectiveGraph {
  readonly contents: ModelContents;
  readonly loss: Value;
  /** What has to be fed besides weights, state and the optimizer's scalars. */
  readonly fed: readonly Value[];
  /** Names of the trained parameters. */
  readonly trained: readonly string[];
  /** Names of the objective's own outputs. */
  readonly outputs: readonly string[];
  /** Optimizer state, `SLOT:NAME`. */
  readonly state: readonly TensorLayout[];
  /** Rows of the passes whose gradient is taken; a sample counts as often as {@link Objective.backwardPasses} says. */
  readonly passes: readonly RowCount[];
  readonly backwardPasses: number;
}

/**
 * Builds forward passes, loss, gradients and optimizer of an objective as a single ONNX graph.
 *
 * @throws LETHE_USAGE_LOSS_SHAPE when the loss is no scalar; LETHE_USAGE_TRAINED when no parameter is left to train
 */
export function buildObjectiveGraph(
  architecture: OpenArchitecture,
  options: ObjectiveGraphOptions,
): ObjectiveGraph {
  const graph = new Graph(operators);
  const { context, weights, fed, passes, nextBuffers } = createContext(graph, architecture);
  const {
    loss,
    outputs: extra = {},
    nextBuffers: moved = [],
    backwardPasses = 1,
  } = options.objective(context);

  const trained = trainedParameters(architecture, options.trained);
  const outputs = new Map<string, Value>([["loss", loss]]);
  for (const [name, value] of Object.entries(extra)) outputs.set(`out:${name}`, value);
  const isDifferentiated = options.gradients === true || options.optimizer !== undefined;
  const found = isDifferentiated ? gradientsOf(loss, trained, weights) : new Map<string, Value>();
  const gradientOf = isDifferentiated ? (options.transformGradients?.(found, context) ?? found) : found;
  if (options.gradients) {
    for (const { name } of trained) outputs.set(`grad:${name}`, gradientOf.get(name) as Value);
  }

  const scalars: Value[] = [];
  const state: TensorLayout[] = [];
  const stateInputs: Value[] = [];
  const { optimizer } = options;
  if (optimizer !== undefined) {
    const learningRate = graph.input("learning-rate", "float32", []);
    const step = graph.input("step", "float32", []);
    scalars.push(learningRate, ...(optimizer.id === "sgd" ? [] : [step]));
    const slots = stateNames(optimizer);
    const stepped = new Map<string, Value>();
    for (const { name, shape } of trained) {
      const own = slots.map((slot) => graph.input(`${slot}:${name}`, "float32", shape));
      const next = optimizerStep(optimizer, {
        parameter: weights.get(name) as Value,
        gradient: gradientOf.get(name) as Value,
        state: own,
        learningRate,
        step,
      });
      stepped.set(name, next.parameter);
      for (const [slot, value] of next.state.entries()) outputs.set(`next:${slots[slot]}:${name}`, value);
      state.push(...slots.map((slot) => ({ name: `${slot}:${name}`, shape, role: "parameter" as const })));
      stateInputs.push(...own);
    }
    const final = options.transformWeights?.(stepped, context) ?? stepped;
    for (const { name } of trained) outputs.set(`next:${name}`, final.get(name) as Value);
    const { averaging } = options;
    for (const { name, shape } of averaging === undefined ? [] : trained) {
      const slot = `${AVERAGE}:${name}`;
      const own = graph.input(slot, "float32", shape);
      outputs.set(`next:${slot}`, moveStatistic(own, final.get(name) as Value, 1 - (averaging as number)));
      state.push({ name: slot, shape, role: "parameter" });
      stateInputs.push(own);
    }
    for (const [name, value] of [...nextBuffers, ...moved]) outputs.set(`next:${name}`, value);
  }
  const counts =
    isDifferentiated || backwardPasses !== undefined ? rowCounts(passes, [...fed.values()], outputs) : [];
  return {
    contents: {
      name: `${architecture.id} objective`,
      inputs: [...fed.values(), ...scalars, ...weights.values(), ...stateInputs],
      outputs,
    },
    loss,
    fed: [...fed.values()],
    trained: trained.map(({ name }) => name),
    outputs: Object.keys(extra),
    state,
    passes: counts,
    backwardPasses: isDifferentiated ? backwardPasses : backwardPasses - 1,
  };
}

function trainedParameters(
  architecture: OpenArchitecture,
  isTrained: (name: string) => boolean = () => true,
): readonly TensorLayout[] {
  const parameters = architecture.weights.filter(({ role }) => role === "parameter");
  const trained = parameters.filter(({ name }) => isTrained(name));
  if (trained.length > 0) return trained;
  throw new LetheError(
    "usage",
    "USAGE_TRAINED",
    `Expected at least one parameter of \`${architecture.id}\` to train, got none of ${parameters.map(({ name }) => name).join(", ")}.`,
  );
}

function gradientsOf(loss: Value, trained: readonly TensorLayout[], weights: ParameterValues) {
  const values = gradients(
    loss,
    trained.map(({ name }) => weights.get(name) as Value),
  );
  return new Map(trained.map(({ name }, index) => [name, values[index] as Value]));
}

/** How to learn each pass's rows without work in the graph where an input has them as its first axis, else by an output. */
function rowCounts(
  passes: readonly Value[],
  fed: readonly Value[],
  outputs: Map<string, Value>,
): readonly RowCount[] {
  return passes.map((features, index): RowCount => {
    const [rows] = features.shape;
    if (typeof rows === "number") return { kind: "fixed", rows };
    const source = fed.find(
      ({ shape }) => shape[0] === rows && shape.slice(1).every((dim) => typeof dim === "number"),
    );
    if (source !== undefined) {
      const rowLength = source.shape.slice(1).reduce<number>((product, dim) => product * Number(dim), 1);
      return { kind: "fed", input: source.name, rowLength };
    }
    const output = `rows:${index}`;
    outputs.set(output, countOf(features, [0]));
    return { kind: "computed", output };
  });
}
