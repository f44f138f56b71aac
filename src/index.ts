/** Lethe: train models, keep a memory-efficient history of federated updates, unlearn, and show how well it worked. */

export { type AuditOutcome, type AuditRequest, audit } from "./audit/audit.ts";
export { type FarmOptions, trainModels } from "./audit/farm/model-farm.ts";
export { shareSamples } from "./audit/farm/shared-samples.ts";
export type { FarmHeader, ModelSource, TrainingJob } from "./audit/farm/training-job.ts";
export { fisherProduct } from "./autodiff/fisher-product.ts";
export { gaussNewtonProduct } from "./autodiff/gauss-newton-product.ts";
export { gradients } from "./autodiff/gradients.ts";
export { hessianVectorProduct } from "./autodiff/hessian-vector-product.ts";
export { jacobianVectorProduct, type Tangent } from "./autodiff/jacobian-vector-product.ts";
export { operators } from "./autodiff/operators/index.ts";
export { perSampleGradients } from "./autodiff/per-sample-gradients.ts";
export { vectorJacobianProduct } from "./autodiff/vector-jacobian-product.ts";
export type { Dataset, Samples } from "./data/dataset.ts";
export { type ForgetSpec, parseForgetSpec } from "./data/forget-spec.ts";
export { listDatasets, loadDataset } from "./data/index.ts";
export { type ForgetResources, type ForgetSets, resolveForget } from "./data/resolve-forget.ts";
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
export type { Metric } from "./metrics/contract.ts";
export { distance, parameterDistance } from "./metrics/distance.ts";
export { findMetric, listMetrics, metrics } from "./metrics/index.ts";
export { lossMembership } from "./metrics/membership.ts";
export { predictedClasses, sampleLosses } from "./metrics/predictions.ts";
export { type Architecture, initialWeights, layoutOfArchitecture } from "./models/architecture.ts";
export { layersOf } from "./models/derive-layers.ts";
export { createModel, listModels } from "./models/index.ts";
export { onnxArchitecture, writeClassifier } from "./models/onnx-model.ts";
export * as functions from "./onnx/functions/index.ts";
export { Graph } from "./onnx/graph.ts";
export type { Operator, Value } from "./onnx/ir.ts";
export { readModel } from "./onnx/read-model.ts";
export { writeModel } from "./onnx/write-model.ts";
export { conjugateGradient } from "./runtime/linear-algebra/conjugate-gradient.ts";
export { lanczos } from "./runtime/linear-algebra/lanczos.ts";
export { type LinearOperator, matrixOperator } from "./runtime/linear-algebra/linear-operator.ts";
export { lissa } from "./runtime/linear-algebra/lissa.ts";
export { singularValues } from "./runtime/linear-algebra/singular-values.ts";
export { symmetricEigen } from "./runtime/linear-algebra/symmetric-eigen.ts";
export { hutchinsonTrace } from "./runtime/linear-algebra/trace.ts";
export { compileProgram, type Program, type RuntimeOptions } from "./runtime/program.ts";
export { createHistory, openHistory } from "./storage/sqlite/history-store.ts";
export { compileValues } from "./training/compiled-values.ts";
export { compileCurvature } from "./training/curvature/curvature.ts";
export { compileEmpiricalDiagonal, compileFisherDiagonal } from "./training/curvature/diagonal-fisher.ts";
export { compileFeatures } from "./training/features/features.ts";
export { inputSubspace } from "./training/features/input-subspace.ts";
export { compileLayerMoments } from "./training/features/layer-moments.ts";
export { covariance, mergeMoments, momentsOf, secondMoment } from "./training/features/moments.ts";
export {
  clippedToNorm,
  inOrder,
  masked,
  projectedAway,
  projectedOnto,
} from "./training/gradient-transforms.ts";
export { inputGradients, inputSensitivities, logitsAt } from "./training/input-gradients.ts";
export { train } from "./training/loop.ts";
export { crossEntropy, klDivergence, meanSquaredError, softCrossEntropy } from "./training/losses.ts";
export { maskByName, maskByScore, maskDensity } from "./training/masks.ts";
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
export { absoluteSum, squaredDistance, squaredNorm } from "./training/penalties.ts";
export { compileSampleGradients, compileSampleNorms } from "./training/per-sample/sample-gradients.ts";
export { compileSampleSlopes } from "./training/per-sample/sample-slopes.ts";
export { createPredictor } from "./training/predictor.ts";
export { buildStepGraph } from "./training/step-graph.ts";
export { createTrainer } from "./training/trainer.ts";
