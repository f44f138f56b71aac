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
export { type Architecture, initialWeights, layoutOfArchitecture } from "./models/architecture.ts";
export { layersOf } from "./models/derive-layers.ts";
export { createModel, listModels } from "./models/index.ts";
export { onnxArchitecture, writeClassifier } from "./models/onnx-model.ts";
export * as functions from "./onnx/functions/index.ts";
export { Graph } from "./onnx/graph.ts";
export type { Operator, Value } from "./onnx/ir.ts";
export { readModel } from "./onnx/read-model.ts";
export { writeModel } from "./onnx/write-model.ts";
export { compileProgram, type Program, type RuntimeOptions } from "./runtime/program.ts";
export { createHistory, openHistory } from "./storage/sqlite/history-store.ts";
export { train } from "./training/loop.ts";
export { crossEntropy, klDivergence, meanSquaredError, softCrossEntropy } from "./training/losses.ts";
export { type OptimizerConfig, parseOptimizer } from "./training/optimizers.ts";
export { createPredictor } from "./training/predictor.ts";
export { buildStepGraph } from "./training/step-graph.ts";
export { createTrainer } from "./training/trainer.ts";
