import type { Samples } from "../data/dataset.ts";
import type { Progress } from "../kernel/events.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import type { Architecture } from "../models/architecture.ts";
import type { RuntimeOptions } from "../runtime/program.ts";
import { compileFeatures, type FeatureExtractor, type FeatureRows } from "../training/features/features.ts";
import { compileLayerMoments, type LayerMoments } from "../training/features/layer-moments.ts";
import type { Moments } from "../training/features/moments.ts";
import {
  type CompiledObjective,
  type CompiledStep,
  compileObjective,
  compileStep,
} from "../training/objective.ts";
import { createPredictor, type Predictor } from "../training/predictor.ts";
import { type Recipe, type RecipeResult, type RecipeRun, trainByRecipe } from "../training/recipe.ts";
import { countedSamples } from "./parts/counted-samples.ts";

/** A method's means to compute. Whatever is compiled here is counted, and freed when the method ends. */
export interface Workbench extends AsyncDisposable {
  /**
   * A loss with its optimizer; see {@link compileStep}.
   *
   * @param model - the bench's own when left out; or that with further weights beside its own, such as a critic's
   */
  step(options: Parameters<typeof compileStep>[1], model?: Architecture): Promise<CompiledStep>;
  /** A loss and its gradients; see {@link compileObjective}. */
  objective(options: Parameters<typeof compileObjective>[1]): Promise<CompiledObjective>;
  /** Class scores of samples in the form for use; the same predictor for every call. */
  logitsOf(weights: ParameterSet, samples: Samples): Promise<Float32Array>;
  /** Penultimate features of samples in the form for use; see {@link compileFeatures}. */
  featuresOf(weights: ParameterSet, samples: Samples): Promise<FeatureRows>;
  /** Moments of what goes into every dense and convolution layer; see {@link compileLayerMoments}. */
  layerMomentsOf(weights: ParameterSet, samples: Samples): Promise<ReadonlyMap<string, Moments>>;
  /** Training from random weights; see {@link trainByRecipe}. */
  train(recipe: Recipe, run: Omit<RecipeRun, "architecture" | "runtime">): Progress<RecipeResult>;
  /** Samples times passes so far. */
  evaluations(): { readonly gradientEvaluations: number; readonly forwardEvaluations: number };
}

/** Opens a workbench for one model. */
export function createWorkbench(bench: {
  readonly architecture: Architecture;
  readonly runtime: RuntimeOptions;
}): Workbench {
  const { architecture, runtime } = bench;
  const opened = new AsyncDisposableStack();
  let gradientEvaluations = 0;
  let forwardEvaluations = 0;
  let predictor: Promise<Predictor> | undefined;
  let features: Promise<FeatureExtractor> | undefined;
  let moments: Promise<LayerMoments> | undefined;
  const count = (run: { readonly gradientEvaluations: number }): void => {
    gradientEvaluations += run.gradientEvaluations;
  };
  return {
    async step(options, model = architecture) {
      const compiled = opened.use(await compileStep(model, options, runtime));
      return {
        ...compiled,
        async step(state, feeds, learningRate) {
          const run = await compiled.step(state, feeds, learningRate);
          count(run);
          return run;
        },
      };
    },
    async objective(options) {
      const compiled = opened.use(await compileObjective(architecture, options, runtime));
      return {
        ...compiled,
        async evaluate(weights, feeds) {
          const run = await compiled.evaluate(weights, feeds);
          count(run);
          return run;
        },
      };
    },
    async logitsOf(weights, samples) {
      predictor ??= createPredictor(architecture, runtime).then((created) => opened.use(created));
      forwardEvaluations += samples.count;
      return (await predictor).logitsOf(weights, samples);
    },
    async featuresOf(weights, samples) {
      features ??= compileFeatures(architecture, runtime).then((compiled) => opened.use(compiled));
      forwardEvaluations += samples.count;
      return (await features).featuresOf(weights, samples);
    },
    async layerMomentsOf(weights, samples) {
      moments ??= compileLayerMoments(architecture, runtime).then((compiled) => opened.use(compiled));
      forwardEvaluations += samples.count;
      return (await moments).momentsOf(weights, samples);
    },
    async *train(recipe, run) {
      const { samples, counts } = countedSamples(run.samples);
      const result = yield* trainByRecipe(recipe, { ...run, samples, architecture, runtime });
      gradientEvaluations += counts().reads;
      return result;
    },
    evaluations: () => ({ gradientEvaluations, forwardEvaluations }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
