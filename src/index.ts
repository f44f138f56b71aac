/** Lethe: train models, keep a memory-efficient history of federated updates, unlearn, and show how well it worked. */
export { gradients } from "./autodiff/gradients.ts";
export { operators } from "./autodiff/operators/index.ts";
export type { Dataset, Samples } from "./data/dataset.ts";
export { listDatasets, loadDataset } from "./data/index.ts";
export {
  type SimulationConfig,
  type SimulationInput,
  simulationSchema,
} from "./federation/simulation/config.ts";
export {
  type SimulationOutcome,
  type SimulationResources,
  simulate,
} from "./federation/simulation/simulate.ts";
export type {
  UnlearningOutcome,
  UnlearningRequest,
  UnlearningRule,
} from "./federation/unlearning/contract.ts";
export { findRule, unlearningRules } from "./federation/unlearning/index.ts";
export { storedHistory } from "./federation/unlearning/stored-history.ts";
export { type CodecConfig, type CodecConfigInput, codecConfigSchema } from "./history/config.ts";
export type { History, HistoryHeader, HistoryReader } from "./history/store.ts";
export { isLetheError, LetheError } from "./kernel/errors.ts";
export { consume, type LetheEvent, type Progress } from "./kernel/events.ts";
export { deriveKey, type Key, keyFromSeed } from "./kernel/key.ts";
export { layoutOf, type ModelLayout } from "./kernel/layout.ts";
export { flatten, type ParameterSet, unflatten } from "./kernel/parameters.ts";
export { accuracy, agreement, confusionMatrix } from "./metrics/accuracy.ts";
export { distance, parameterDistance } from "./metrics/distance.ts";
export { lossMembership } from "./metrics/membership.ts";
export { predictedClasses, sampleLosses } from "./metrics/predictions.ts";
export {
  type Architecture,
  initialWeights,
  layoutOfArchitecture,
  type OpenArchitecture,
} from "./models/architecture.ts";
export { layersOf } from "./models/derive-layers.ts";
export { createModel, listModels } from "./models/index.ts";
export { type LoraOptions, withLora } from "./models/lora.ts";
export {
  type OnnxModelOptions,
  onnxArchitecture,
  openOnnxArchitecture,
  writeClassifier,
} from "./models/onnx-model.ts";
export { selectTrainable, type TrainableSelection } from "./models/select-trainable.ts";
export * as functions from "./onnx/functions/index.ts";
export { Graph } from "./onnx/graph.ts";
export type { Operator, Value } from "./onnx/ir.ts";
export { readModel } from "./onnx/read-model.ts";
export { writeModel } from "./onnx/write-model.ts";
export { compileProgram, type Program, type RuntimeOptions } from "./runtime/program.ts";
export { openOnnxFile } from "./storage/onnx-file.ts";
export { createHistory, openHistory } from "./storage/sqlite/history-store.ts";
export { train } from "./training/loop.ts";
export { crossEntropy, klDivergence, meanSquaredError, softCrossEntropy } from "./training/losses.ts";
export {
  type CompiledObjective,
  type CompiledStep,
  compileObjective,
  compileStep,
  type ObjectiveRun,
  type TrainerState,
} from "./training/objective.ts";
export type { ObjectiveContext, ParameterValues, PassOptions } from "./training/objective-context.ts";
export type { Objective, ParameterTransform } from "./training/objective-graph.ts";
export { type OptimizerConfig, parseOptimizer } from "./training/optimizers.ts";
export { createPredictor } from "./training/predictor.ts";
export { buildStepGraph } from "./training/step-graph.ts";
export { createTrainer } from "./training/trainer.ts";
