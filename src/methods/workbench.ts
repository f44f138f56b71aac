import type { Batch } from "../data/batches.ts";
import type { Samples } from "../data/dataset.ts";
import { LetheError } from "../kernel/errors.ts";
import type { Progress } from "../kernel/events.ts";
import { sizeOf } from "../kernel/layout.ts";
import { firstNonFinite, type ParameterSet } from "../kernel/parameters.ts";
import type { Architecture } from "../models/architecture.ts";
import type { LinearOperator } from "../runtime/linear-algebra/linear-operator.ts";
import type { RuntimeOptions } from "../runtime/program.ts";
import { type Curvature, compileCurvature } from "../training/curvature/curvature.ts";
import { compileEmpiricalDiagonal, type DiagonalFisher } from "../training/curvature/diagonal-fisher.ts";
import { parameterVector } from "../training/curvature/parameter-vector.ts";
import { compileFeatures, type FeatureExtractor, type FeatureRows } from "../training/features/features.ts";
import { compileLayerMoments, type LayerMoments } from "../training/features/layer-moments.ts";
import type { Moments } from "../training/features/moments.ts";
import {
  type CompiledObjective,
  type CompiledStep,
  compileObjective,
  compileStep,
} from "../training/objective.ts";
import { compileSampleGradients, type SampleGradients } from "../training/per-sample/sample-gradients.ts";
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
  /** Moments of what goes into every dense and convolution layer, or into some; see {@link compileLayerMoments}. */
  layerMomentsOf(
    weights: ParameterSet,
    samples: Samples,
    only?: readonly string[],
  ): Promise<ReadonlyMap<string, Moments>>;
  /** The diagonal of the empirical Fisher matrix; see {@link compileEmpiricalDiagonal}. @throws LETHE_NUMERIC_NOT_FINITE */
  fisherDiagonalOf(weights: ParameterSet, samples: Samples): Promise<ParameterSet>;
  /** The empirical Fisher matrix of the mean loss over samples as an operator; see {@link compileCurvature}. */
  fisherOperatorOf(weights: ParameterSet, samples: Samples): Promise<LinearOperator>;
  /** Every sample's gradient as a vector over all parameters; see {@link compileSampleGradients}. */
  sampleGradientsOf(weights: ParameterSet, batch: Batch): Promise<readonly Float64Array[]>;
  /** Training from random weights; see {@link trainByRecipe}. */
  train(recipe: Recipe, run: Omit<RecipeRun, "architecture" | "runtime">): Progress<RecipeResult>;
  /** Samples times passes so far. */
  evaluations(): { readonly gradientEvaluations: number; readonly forwardEvaluations: number };
}

/** Samples a run of a product with a curvature matrix; what is computed does not depend on it. */
const CURVATURE_BATCH = 256;

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
  const moments = new Map<string, Promise<LayerMoments>>();
  let diagonal: Promise<DiagonalFisher> | undefined;
  let fisher: Promise<Curvature> | undefined;
  let ofSamples: Promise<SampleGradients> | undefined;
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
    async layerMomentsOf(weights, samples, only) {
      const layers = only?.join() ?? "";
      const options = { ...runtime, ...(only === undefined ? {} : { only }) };
      const compiled =
        moments.get(layers) ?? compileLayerMoments(architecture, options).then((made) => opened.use(made));
      moments.set(layers, compiled);
      forwardEvaluations += samples.count;
      return (await compiled).momentsOf(weights, samples);
    },
    async fisherDiagonalOf(weights, samples) {
      diagonal ??= compileEmpiricalDiagonal(architecture, runtime).then((compiled) => opened.use(compiled));
      const found = await (await diagonal).at(weights, samples);
      gradientEvaluations += found.gradientEvaluations;
      for (const [name, values] of found.diagonal) requireFinite(name, values);
      return found.diagonal;
    },
    async fisherOperatorOf(weights, samples) {
      fisher ??= compileCurvature(architecture, "empirical-fisher", runtime).then((compiled) =>
        opened.use(compiled),
      );
      const operator = (await fisher).at({ weights, samples, batchSize: CURVATURE_BATCH });
      return {
        size: operator.size,
        async apply(vector) {
          const before = operator.gradientEvaluations();
          const image = await operator.apply(vector);
          gradientEvaluations += operator.gradientEvaluations() - before;
          return image;
        },
      };
    },
    async sampleGradientsOf(weights, batch) {
      ofSamples ??= compileSampleGradients(architecture, runtime).then((compiled) => opened.use(compiled));
      const tensors = await (await ofSamples).gradients(weights, batch);
      for (const [name, values] of tensors) requireFinite(name, values);
      const rows = batch.features.length / sizeOf(architecture.inputShape);
      gradientEvaluations += rows;
      return Array.from({ length: rows }, (_, row) => {
        const own = [...tensors].map(([name, values]) => {
          const width = values.length / rows;
          return [name, values.subarray(row * width, (row + 1) * width)] as const;
        });
        return parameterVector(architecture, new Map(own));
      });
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

function requireFinite(name: string, values: Float32Array): void {
  if (firstNonFinite(values) < 0) return;
  throw new LetheError(
    "numeric",
    "NUMERIC_NOT_FINITE",
    `Expected finite gradients of \`${name}\`, got others. Look for NaN in the data.`,
    { details: { tensor: name } },
  );
}
