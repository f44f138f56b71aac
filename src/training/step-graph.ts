import { LetheError } from "../kernel/errors.ts";
import type { TensorLayout } from "../kernel/layout.ts";
import { batchShape, type OpenArchitecture } from "../models/architecture.ts";
import { add, mul } from "../onnx/functions/index.ts";
import type { Value } from "../onnx/ir.ts";
import type { ModelContents } from "../onnx/write-model.ts";
import { hinge } from "./losses/hinge.ts";
import { labelSquares } from "./losses/label-squares.ts";
import { smoothedCrossEntropy } from "./losses/smoothed-cross-entropy.ts";
import { crossEntropy, meanSquaredError } from "./losses.ts";
import type { ObjectiveContext } from "./objective-context.ts";
import { buildObjectiveGraph, type Objective } from "./objective-graph.ts";
import type { OptimizerConfig } from "./optimizers.ts";
import { absoluteSum, squaredDistance, squaredNorm } from "./penalties.ts";

/** The parameter set a proximal penalty pulls towards. */
export const ANCHOR = "anchor";

/** The losses a step graph can be built for; `label-mse` takes class numbers, `mse` what the outputs are to be. */
export type LossId = "cross-entropy" | "hinge" | "label-mse" | "mse";

/** What may be added to a supervised loss. */
export interface SupervisedOptions {
  /** ε in [0, 1) of smoothed labels, for cross-entropy and `label-mse` of whole samples. */
  readonly labelSmoothing?: number | undefined;
  /** λ ≥ 0 of λ·‖w‖₁ over all trained parameters. */
  readonly l1?: number | undefined;
  /** λ ≥ 0 of λ/2·‖w‖². */
  readonly l2?: number | undefined;
  /** μ ≥ 0 of μ/2·‖w − w₀‖², w₀ fed as the parameter set `anchor`. Source: Li et al. (2018), arXiv 1812.06127. */
  readonly proximal?: number | undefined;
  /** Take the model's further inputs as inputs of the graph; otherwise they follow from the first. */
  readonly feedsCompanions?: boolean | undefined;
}

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
 * Inputs: the model's input [batch, …] (and further ones on request), `labels` (int64 [batch, …labelShape], or float32 [batch, …labelShape, classes]
 * for mse), with an optimizer `learning-rate` and `step` (scalars), every weight by its name and every state by `SLOT:NAME`.
 * Outputs: `loss` (scalar), `grad:NAME` on request, `next:NAME` and `next:SLOT:NAME` with an optimizer.
 */
export function buildStepGraph(architecture: OpenArchitecture, options: StepGraphOptions): StepGraph {
  const { loss, feedsCompanions = false, ...rest } = options;
  const objective = supervised(loss, { feedsCompanions });
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

/**
 * The mean loss of one batch and its penalties, fed by the names of {@link buildStepGraph}.
 *
 * @throws LETHE_USAGE_LOSS_SHAPE (when the graph is built) for a loss of whole samples on an architecture that answers at every
 *   position
 */
export function supervised(
  loss: LossId,
  options: SupervisedOptions = {},
): (context: ObjectiveContext) => Objective {
  return (context) => ({
    loss: [batchLoss(loss, options, context), ...penalties(options, context)].reduce(add),
  });
}

function batchLoss(loss: LossId, options: SupervisedOptions, context: ObjectiveContext): Value {
  const { architecture } = context;
  const { inputName, inputType, labelShape, classes, id } = architecture;
  const { labelSmoothing = 0, feedsCompanions = false } = options;
  const input = context.tensor(inputName, batchShape(architecture), inputType);
  const further = (feedsCompanions ? architecture.companions : undefined) ?? [];
  const companions = new Map(
    further.map(({ name, dtype, shape }) => [name, context.tensor(name, shape, dtype)]),
  );
  const { logits } = context.forward(input, { companions });
  const shape = ["batch", ...labelShape];
  if (loss === "mse") return meanSquaredError(logits, context.tensor("labels", [...shape, classes]));
  const labels = context.tensor("labels", shape, "int64");
  if (loss === "cross-entropy" && labelSmoothing === 0) return crossEntropy(logits, labels);
  if (labelShape.length > 0) {
    const asked = loss === "cross-entropy" ? "label smoothing" : loss.replace("label-", "");
    throw new LetheError(
      "usage",
      "USAGE_LOSS_SHAPE",
      `Expected plain cross-entropy for \`${id}\`, which answers at every position, got ${asked}.`,
    );
  }
  if (loss === "label-mse") return labelSquares(logits, labels, labelSmoothing);
  return loss === "hinge" ? hinge(logits, labels) : smoothedCrossEntropy(logits, labels, labelSmoothing);
}

function penalties({ l1 = 0, l2 = 0, proximal = 0 }: SupervisedOptions, context: ObjectiveContext): Value[] {
  const { parameters } = context;
  return [
    ...(l1 === 0 ? [] : [mul(absoluteSum(parameters), l1)]),
    ...(l2 === 0 ? [] : [mul(squaredNorm(parameters), l2 / 2)]),
    ...(proximal === 0 ? [] : [mul(squaredDistance(parameters, context.parameterSet(ANCHOR)), proximal / 2)]),
  ];
}
