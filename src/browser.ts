/**
 * Lethe in a browser: what has no files under it. A bundler for browsers takes onnxruntime-web as the engine (`"browser"` in
 * package.json); its `.wasm` file has to be served beside the bundle. {@link openTrainer} is what a federated client needs.
 */

export type { Samples } from "./data/dataset.ts";
export { type SampleColumns, samplesOf } from "./data/samples.ts";
export { isLetheError, LetheError } from "./kernel/errors.ts";
export { consume, type LetheEvent, type Progress } from "./kernel/events.ts";
export { deriveKey, type Key, keyFromSeed } from "./kernel/key.ts";
export type { ParameterSet } from "./kernel/parameters.ts";
export { type Architecture, initialWeights } from "./models/architecture.ts";
export { createModel } from "./models/index.ts";
export { compileProgram, openProgram, type Program, type RuntimeOptions } from "./runtime/program.ts";
export { type LoopOptions, train } from "./training/loop.ts";
export { type OptimizerConfig, parseOptimizer } from "./training/optimizers.ts";
export { createPredictor } from "./training/predictor.ts";
export { type OpenedTrainer, openTrainer } from "./training/step-file.ts";
export type { TrainerState } from "./training/take-step.ts";
export { createTrainer, type Trainer } from "./training/trainer.ts";
