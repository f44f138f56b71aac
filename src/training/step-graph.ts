import { gradients } from "../autodiff/gradients.ts";
import { operators } from "../autodiff/operators/index.ts";
import type { TensorLayout } from "../kernel/layout.ts";
import { type Architecture, batchShape } from "../models/architecture.ts";
import { Graph } from "../onnx/graph.ts";
import type { Value } from "../onnx/ir.ts";
import type { ModelContents } from "../onnx/write-model.ts";
import { crossEntropy, meanSquaredError } from "./losses.ts";
import { type OptimizerConfig, optimizerStep, stateNames } from "./optimizers.ts";

/** The losses a step graph can be built for. */
export type LossId = "cross-entropy" | "mse";

/** What a step graph is built from. */
export interface StepGraphOptions {
  readonly loss: LossId;
  /** Without one the graph only gives gradients. */
  readonly optimizer?: OptimizerConfig;
  /** Give `grad:NAME` outputs. */
  readonly gradients?: boolean;
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
 * Inputs: the model's input [batch, …], `labels` (int64 [batch] for cross-entropy, float32 [batch, classes] for mse), with an optimizer
 * `learning-rate` and `step` (scalars), every weight by its name and every state by `SLOT:NAME`.
 * Outputs: `loss` (scalar), `grad:NAME` on request, `next:NAME` and `next:SLOT:NAME` with an optimizer.
 */
export function buildStepGraph(architecture: Architecture, options: StepGraphOptions): StepGraph {
  const graph = new Graph(operators);
  const input = graph.input(architecture.inputName, "float32", batchShape(architecture));
  const labels =
    options.loss === "cross-entropy"
      ? graph.input("labels", "int64", ["batch"])
      : graph.input("labels", "float32", ["batch", architecture.classes]);
  const learningRate = graph.input("learning-rate", "float32", []);
  const step = graph.input("step", "float32", []);
  const weights = new Map(
    architecture.weights.map(({ name, shape }) => [name, graph.input(name, "float32", shape)] as const),
  );
  const weightOf = (name: string): Value => weights.get(name) as Value;
  const { logits, nextBuffers } = architecture.forward(input, weightOf, "training");
  const loss =
    options.loss === "cross-entropy" ? crossEntropy(logits, labels) : meanSquaredError(logits, labels);

  const trained = architecture.weights.filter(({ role }) => role === "parameter");
  const gradientOf = gradients(
    loss,
    trained.map(({ name }) => weightOf(name)),
  );
  const outputs = new Map<string, Value>([["loss", loss]]);
  if (options.gradients) {
    for (const [index, { name }] of trained.entries())
      outputs.set(`grad:${name}`, gradientOf[index] as Value);
  }

  const state: TensorLayout[] = [];
  const stateInputs: Value[] = [];
  const { optimizer } = options;
  if (optimizer !== undefined) {
    const slots = stateNames(optimizer);
    trained.forEach(({ name, shape }, index) => {
      const own = slots.map((slot) => graph.input(`${slot}:${name}`, "float32", shape));
      const next = optimizerStep(optimizer, {
        parameter: weightOf(name),
        gradient: gradientOf[index] as Value,
        state: own,
        learningRate,
        step,
      });
      outputs.set(`next:${name}`, next.parameter);
      for (const [slot, value] of next.state.entries()) outputs.set(`next:${slots[slot]}:${name}`, value);
      state.push(...slots.map((slot) => ({ name: `${slot}:${name}`, shape, role: "parameter" as const })));
      stateInputs.push(...own);
    });
    for (const [name, value] of nextBuffers) outputs.set(`next:${name}`, value);
  }
  const scalars =
    optimizer === undefined ? [] : optimizer.id === "sgd" ? [learningRate] : [learningRate, step];
  return {
    contents: {
      name: `${architecture.id} training step`,
      inputs: [input, labels, ...scalars, ...weights.values(), ...stateInputs],
      outputs,
    },
    weights: architecture.weights.map(({ name, shape, role }) => ({ name, shape, role })),
    state,
  };
}
