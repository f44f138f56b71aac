import type { TensorLayout } from "../kernel/layout.ts";
import { batchShape, type OpenArchitecture } from "../models/architecture.ts";
import type { ModelContents } from "../onnx/write-model.ts";
import { crossEntropy, meanSquaredError } from "./losses.ts";
import type { ObjectiveContext } from "./objective-context.ts";
import { buildObjectiveGraph, type Objective } from "./objective-graph.ts";
import type { OptimizerConfig } from "./optimizers.ts";

/** The losses a step graph can be built for. */
export type LossId = "cross-entropy" | "mse";

/** What a step graph is built from. */
export interface StepGraphOptions {
  readonly loss: LossId;
  /** Without one the graph only gives gradients. */
  readonly optimizer?: OptimizerConfig;
  /** Give `grad:NAME` outputs. */
  readonly gradients?: boolean;
  /** Take the model's further inputs as inputs of the graph; otherwise they follow from the first. */
  readonly feedsCompanions?: boolean;
}

/** One training step as a graph, and the names of what it carries from step to step. */
export interface StepGraph {
  readonly contents: ModelContents;
  /** Weights (parameters and buffers) that the step gives back as `next:NAME`. */
  readonly weights: readonly TensorLayout[];
  /** Optimizer state, `SLOT:NAME`, given back as `next:SLOT:NAME`. */
  readonly state: readonly TensorLayout[];
}

/**
 * Forward pass, loss, gradients and optimizer of one minibatch as a single ONNX graph: what any ONNX Runtime, and so any
 * federated client, can train with.
 *
 * Inputs: the model's input [batch, …] (and further ones on request), `labels` (int64 [batch, …labelShape] for cross-entropy, float32 [batch, …labelShape, classes]
 * for mse), with an optimizer `learning-rate` and `step` (scalars), every weight by its name and every state by `SLOT:NAME`.
 * Outputs: `loss` (scalar), `grad:NAME` on request, `next:NAME` and `next:SLOT:NAME` with an optimizer.
 */
export function buildStepGraph(architecture: OpenArchitecture, options: StepGraphOptions): StepGraph {
  const { loss, feedsCompanions = false, ...rest } = options;
  const objective = supervised(loss, feedsCompanions);
  const { contents, state } = buildObjectiveGraph(architecture, { objective, ...rest });
  return {
    contents: {
      ...contents,
      name: `${architecture.id} training step`,
      // Counts of rows are for the one who reports the run's cost.
      outputs: new Map([...contents.outputs].filter(([name]) => !name.startsWith("rows:"))),
    },
    weights: architecture.weights.map(({ name, shape, role }) => ({ name, shape, role })),
    state,
  };
}

/** The mean loss of one batch, fed by the names of {@link buildStepGraph}. */
export function supervised(loss: LossId, feedsCompanions = false): (context: ObjectiveContext) => Objective {
  return (context) => {
    const { architecture } = context;
    const { inputName, inputType, labelShape, classes } = architecture;
    const input = context.tensor(inputName, batchShape(architecture), inputType);
    const further = (feedsCompanions ? architecture.companions : undefined) ?? [];
    const companions = new Map(
      further.map(({ name, dtype, shape }) => [name, context.tensor(name, shape, dtype)]),
    );
    const { logits } = context.forward(input, { companions });
    const shape = ["batch", ...labelShape];
    if (loss === "cross-entropy")
      return { loss: crossEntropy(logits, context.tensor("labels", shape, "int64")) };
    const targets = context.tensor("labels", [...shape, classes]);
    return { loss: meanSquaredError(logits, targets) };
  };
}
