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
export { type DuplicatePair, exactDuplicates, nearDuplicates } from "./data/duplicates.ts";
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
export type { Method, MethodOutcome, MethodRequest } from "./methods/contract.ts";
export { defineMethod } from "./methods/define-method.ts";
export { findMethod, listMethods, methods } from "./methods/index.ts";
export { accuracy, agreement, confusionMatrix } from "./metrics/accuracy.ts";
export { attackSuccess } from "./metrics/attack-success.ts";
export { bavariaT } from "./metrics/attacks/bavaria-t.ts";
export { lira } from "./metrics/attacks/lira.ts";
export { lossRegressionMembership } from "./metrics/attacks/loss-regression-membership.ts";
export { rmia } from "./metrics/attacks/rmia.ts";
export { divideShadows, type ShadowMargins } from "./metrics/attacks/shadow-margins.ts";
export { svcMembership } from "./metrics/attacks/svc-membership.ts";
export { unlearningLira } from "./metrics/attacks/unlearning-lira.ts";
export { adaptiveUnlearningScore, normalisedUnlearningScore } from "./metrics/composite-scores.ts";
export type { Metric } from "./metrics/contract.ts";
export { distance, parameterDistance } from "./metrics/distance.ts";
export { isExact } from "./metrics/exactness.ts";
export { layerSimilarity, linearCka } from "./metrics/feature-similarity.ts";
export {
  competitionScore,
  forgettingEpsilons,
  forgettingQuality,
} from "./metrics/forgetting-quality.ts";
export { groupFairness } from "./metrics/group-fairness.ts";
export { findMetric, listMetrics, metrics } from "./metrics/index.ts";
export { interclassConfusion } from "./metrics/interclass-confusion.ts";
export { inversionProbe } from "./metrics/inversion-probe.ts";
export { klom, klomSummary } from "./metrics/klom.ts";
export { margins } from "./metrics/margins.ts";
export { lossMembership } from "./metrics/membership.ts";
export { predictionDivergence, zeroRetrainForgetting } from "./metrics/prediction-divergence.ts";
export { predictedClasses, sampleLosses } from "./metrics/predictions.ts";
export { privacyLeakage } from "./metrics/privacy-leakage.ts";
export { anamnesisIndex, relearnTime } from "./metrics/relearn-time.ts";
export type { ScoredSamples } from "./metrics/scored-samples.ts";
export { averageGap, retainAccuracy, testAccuracy, unlearningAccuracy } from "./metrics/set-accuracies.ts";
export { bootstrapInterval } from "./metrics/statistics/bootstrap.ts";
export { clopperPearson } from "./metrics/statistics/clopper-pearson.ts";
export { equivalenceTest } from "./metrics/statistics/equivalence-test.ts";
export { kolmogorovSmirnov } from "./metrics/statistics/kolmogorov-smirnov.ts";
export { attackOutcome, logarithmicPoints, rocCurve } from "./metrics/statistics/roc.ts";
export { minK, minKPlusPlus } from "./metrics/token-membership.ts";
export { tofuForgetQuality, truthRatio } from "./metrics/truth-ratio.ts";
export { tugOfWar } from "./metrics/tug-of-war.ts";
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
export { compareMethods } from "./planning/comparison/compare-methods.ts";
export { conjugateGradient } from "./runtime/linear-algebra/conjugate-gradient.ts";
export { lanczos } from "./runtime/linear-algebra/lanczos.ts";
export { type LinearOperator, matrixOperator } from "./runtime/linear-algebra/linear-operator.ts";
export { lissa } from "./runtime/linear-algebra/lissa.ts";
export { singularValues } from "./runtime/linear-algebra/singular-values.ts";
export { symmetricEigen } from "./runtime/linear-algebra/symmetric-eigen.ts";
export { hutchinsonTrace } from "./runtime/linear-algebra/trace.ts";
export { compileProgram, type Program, type RuntimeOptions } from "./runtime/program.ts";
export { openOnnxFile } from "./storage/onnx-file.ts";
export { sisaCheckpointFiles } from "./storage/sisa-checkpoints.ts";
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
export { hinge } from "./training/losses/hinge.ts";
export { jensenShannon } from "./training/losses/jensen-shannon.ts";
export { logLikelihood } from "./training/losses/log-likelihood.ts";
export { directPreference, negativePreference } from "./training/losses/preference.ts";
export { smoothedCrossEntropy } from "./training/losses/smoothed-cross-entropy.ts";
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
export { type Recipe, recipeSchema, trainByRecipe } from "./training/recipe.ts";
export { type Aggregation, aggregateScores } from "./training/sisa/aggregate-scores.ts";
export type { SisaCheckpoints } from "./training/sisa/checkpoint.ts";
export { type SisaConfig, sisaSchema } from "./training/sisa/config.ts";
export { type SisaOptions, type SisaResult, trainSisa } from "./training/sisa/train-sisa.ts";
export { buildStepGraph } from "./training/step-graph.ts";
export { createTrainer, type TrainerOptions } from "./training/trainer.ts";
export { averagedWeights } from "./training/weight-average.ts";
