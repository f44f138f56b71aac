import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Samples } from "../../src/data/dataset.ts";
import { samplesOf } from "../../src/data/samples.ts";
import { keyFromSeed } from "../../src/kernel/key.ts";
import type { ParameterSet } from "../../src/kernel/parameters.ts";
import type { Architecture } from "../../src/models/architecture.ts";
import { cnn } from "../../src/models/cnn.ts";
import { mlp } from "../../src/models/mlp.ts";
import { onnxArchitecture, writeClassifier } from "../../src/models/onnx-model.ts";
import { add, mul, reduceMean, sub } from "../../src/onnx/functions/index.ts";
import { lanczos } from "../../src/runtime/linear-algebra/lanczos.ts";
import { hutchinsonTrace } from "../../src/runtime/linear-algebra/trace.ts";
import { compileValues } from "../../src/training/compiled-values.ts";
import { type CurvatureKind, compileCurvature } from "../../src/training/curvature/curvature.ts";
import {
  compileEmpiricalDiagonal,
  compileFisherDiagonal,
} from "../../src/training/curvature/diagonal-fisher.ts";
import { parameterVector } from "../../src/training/curvature/parameter-vector.ts";
import { compileFeatures } from "../../src/training/features/features.ts";
import { compileLayerMoments } from "../../src/training/features/layer-moments.ts";
import { covariance, secondMoment } from "../../src/training/features/moments.ts";
import { clippedToNorm } from "../../src/training/gradient-transforms.ts";
import { inputGradients, inputSensitivities, logitsAt } from "../../src/training/input-gradients.ts";
import { crossEntropies, crossEntropy, klDivergence } from "../../src/training/losses.ts";
import { compileObjective, compileStep } from "../../src/training/objective.ts";
import { parseOptimizer } from "../../src/training/optimizers.ts";
import { absoluteSum, squaredDistance } from "../../src/training/penalties.ts";
import {
  compileSampleGradients,
  compileSampleNorms,
} from "../../src/training/per-sample/sample-gradients.ts";
import { compileSampleSlopes } from "../../src/training/per-sample/sample-slopes.ts";

/** What generate-transforms.py writes of a model. */
interface GoldenCase {
  readonly name: string;
  readonly inputShape: readonly number[];
  readonly weights: Tensors;
  readonly features: readonly number[];
  readonly labels: readonly number[];
  readonly direction: Tensors;
  readonly hessian: readonly number[];
  readonly "gauss-newton": readonly number[];
  readonly "empirical-fisher": readonly number[];
  readonly perSample: Tensors;
  readonly squaredNorms: readonly number[];
  readonly slopes: readonly number[];
  readonly empiricalDiagonal: readonly number[];
  readonly fisherDiagonal: readonly number[];
  /** The three largest of the Hessian. */
  readonly eigenvalues: readonly number[];
  /** Of the Hessian. */
  readonly trace: number;
  readonly inputGradientOfLoss: readonly number[];
  readonly inputGradientOfLogit: readonly number[];
  readonly sensitivity: number;
  readonly sensitivityGradient: Tensors;
  readonly penultimate: readonly number[];
  readonly secondMoments: Tensors;
  readonly covariances: Tensors;
  readonly steps: {
    readonly retain: GoldenBatch;
    readonly forget: GoldenBatch;
    readonly teacher: Tensors;
    readonly losses: readonly number[];
    readonly weights: Tensors;
  };
}

type Tensors = Readonly<Record<string, readonly number[]>>;

interface GoldenBatch {
  readonly features: readonly number[];
  readonly labels: readonly number[];
}

const RUNTIME = { threads: 1, spinning: false };
const CLASSES = 3;
/** Relative to the largest element: single precision against double. */
const TOLERANCE = 2e-5;

const golden = JSON.parse(readFileSync(new URL("transforms.json", import.meta.url), "utf8")) as {
  readonly cases: readonly GoldenCase[];
};

const readyModels: Readonly<Record<string, (shape: readonly number[]) => Architecture>> = {
  mlp: (shape) => mlp(shape, CLASSES, [5]),
  cnn: (shape) => cnn(shape, CLASSES, convolutional("cnn", false)),
  "cnn-bn": (shape) => cnn(shape, CLASSES, convolutional("cnn-bn", true)),
};

function convolutional(id: string, batchNorm: boolean) {
  return { id, blocks: [{ channels: 3, kernel: 3, padding: 1, pool: 2 }], hidden: 4, batchNorm };
}

const models = golden.cases.flatMap((entry) => {
  const ready = (readyModels[entry.name] as (shape: readonly number[]) => Architecture)(entry.inputShape);
  const imported = onnxArchitecture(writeClassifier(ready, setOf(entry.weights)), `${entry.name}.onnx`);
  return [
    [entry.name, ready, entry],
    [`${entry.name}, written as an ONNX file and read`, imported, entry],
  ] as const;
});

describe.each(models)("%s: PyTorch's numbers for", (_name, model, entry) => {
  const weights = setOf(entry.weights);
  const samples = samplesFrom(entry.inputShape, entry);
  const batch = batchFrom(entry);
  const direction = setOf(entry.direction);
  const vector = parameterVector(model, direction);

  it.each(["hessian", "gauss-newton", "empirical-fisher"] satisfies CurvatureKind[])(
    "the %s times a vector, over batches that do not divide the samples",
    async (kind) => {
      await using curvature = await compileCurvature(model, kind, RUNTIME);
      const operator = curvature.at({ weights, samples, batchSize: 2 });
      expectClose("product", await operator.apply(vector), entry[kind]);
      expect(operator.gradientEvaluations()).toBe(samples.count * (kind === "hessian" ? 2 : 3));
    },
  );

  it("the Hessian's largest eigenvalues and its trace", async () => {
    await using curvature = await compileCurvature(model, "hessian", RUNTIME);
    const operator = curvature.at({ weights, samples, batchSize: 5 });
    const found = await lanczos(operator, {
      count: 3,
      maxIterations: 30,
      tolerance: 1e-6,
      key: keyFromSeed(1),
    });
    expectClose("eigenvalues", found.values, entry.eigenvalues);
    const { trace, standardError } = await hutchinsonTrace(operator, { probes: 40, key: keyFromSeed(2) });
    expect(Math.abs(trace - entry.trace)).toBeLessThan(4 * standardError);
    expect(standardError).toBeLessThan(0.5 * Math.abs(entry.trace));
  });

  it.each([
    ["in a batch", true],
    ["one by one", false],
  ])("every sample's gradient and its norm, %s", async (_how, isBatched) => {
    await using gradients = await compileSampleGradients(model, { ...RUNTIME, isBatched });
    await using norms = await compileSampleNorms(model, { ...RUNTIME, isBatched });
    expect(gradients.isBatched).toBe(isBatched);
    for (const [name, values] of await gradients.gradients(weights, batch)) {
      expectClose(name, values, entry.perSample[name] as readonly number[]);
    }
    expectClose("squared norms", await norms.squaredNorms(weights, samples), entry.squaredNorms);
  });

  it("every sample's gradient along a direction", async () => {
    await using slopes = await compileSampleSlopes(model, RUNTIME);
    expectClose("slopes", await slopes.slopes(weights, samples, direction), entry.slopes);
  });

  it("the diagonals of the Fisher matrices", async () => {
    await using empirical = await compileEmpiricalDiagonal(model, RUNTIME);
    const own = await empirical.at(weights, samples);
    expectClose("empirical", parameterVector(model, own.diagonal), entry.empiricalDiagonal);
    expect(own.gradientEvaluations).toBe(samples.count);
    await using exact = await compileFisherDiagonal(model, RUNTIME);
    const expected = await exact.at(weights, samples);
    expectClose("exact", parameterVector(model, expected.diagonal), entry.fisherDiagonal);
    expect(expected.gradientEvaluations).toBe(samples.count * CLASSES);
  });

  it("gradients of losses and logits by the inputs", async () => {
    await using values = await compileValues(
      model,
      (context) => {
        const features = context.features("data");
        const { logits } = context.forward(features, { mode: "inference" });
        const labels = context.labels("data");
        return {
          loss: inputGradients(crossEntropies(logits, labels), features),
          logit: inputGradients(logitsAt(logits, labels), features),
        };
      },
      RUNTIME,
    );
    const found = await values.run(weights, { data: { ...batch } });
    expectClose("loss", found.loss as Float32Array, entry.inputGradientOfLoss);
    expectClose("logit", found.logit as Float32Array, entry.inputGradientOfLogit);
  });

  it("the gradient of the squared input gradient, differentiated twice", async () => {
    await using objective = await compileObjective(
      model,
      {
        objective: (context) => {
          const features = context.features("data");
          const { logits } = context.forward(features, { mode: "inference" });
          const rows = logitsAt(logits, context.labels("data"));
          return { loss: reduceMean(inputSensitivities(rows, features)), backwardPasses: 2 };
        },
        gradients: true,
      },
      RUNTIME,
    );
    const found = await objective.evaluate(weights, { data: { ...batch } });
    expectClose("loss", [found.loss], [entry.sensitivity]);
    for (const [name, values] of found.gradients) {
      expectClose(name, values, entry.sensitivityGradient[name] as readonly number[]);
    }
    expect(found.gradientEvaluations).toBe(2 * samples.count);
  });

  it("features and the moments of what goes into layers", async () => {
    await using features = await compileFeatures(model, RUNTIME);
    expectClose("penultimate", (await features.featuresOf(weights, samples)).rows, entry.penultimate);
    const only = Object.keys(entry.secondMoments);
    await using moments = await compileLayerMoments(model, { ...RUNTIME, only });
    const found = await moments.momentsOf(weights, samples);
    for (const name of only) {
      const own = found.get(name);
      if (own === undefined) throw new Error(`no moments of ${name}`);
      expectClose(
        `second moment of ${name}`,
        secondMoment(own),
        entry.secondMoments[name] as readonly number[],
      );
      expectClose(`covariance of ${name}`, covariance(own), entry.covariances[name] as readonly number[]);
    }
  });

  it("two steps on an objective of two batches and a teacher, clipped, with momentum and moved statistics", async () => {
    const { retain, forget, teacher, losses, weights: expected } = entry.steps;
    await using step = await compileStep(
      model,
      {
        objective: (context) => {
          const features = context.features("retain");
          const student = context.forward(features).logits;
          const target = context.forward(features, {
            mode: "inference",
            weights: context.weightSet("teacher"),
          }).logits;
          const forgotten = context.forward(context.features("forget"), { mode: "inference" }).logits;
          const learnt = add(
            crossEntropy(student, context.labels("retain")),
            klDivergence(target, student, 2),
          );
          const unlearnt = mul(crossEntropy(forgotten, context.labels("forget")), context.scalar("strength"));
          const pull = mul(squaredDistance(context.parameters, context.parameterSet("anchor")), 0.05);
          const sparse = mul(absoluteSum(context.parameters), 0.001);
          return { loss: add(add(sub(learnt, unlearnt), pull), sparse) };
        },
        optimizer: parseOptimizer({ id: "sgd", momentum: 0.9, weightDecay: 0.01 }),
        transformGradients: clippedToNorm(0.5),
      },
      RUNTIME,
    );
    const feeds = {
      retain: { ...batchFrom(retain) },
      forget: { ...batchFrom(forget) },
      teacher: setOf(teacher),
      anchor: weights,
      strength: 0.3,
    };
    let state = step.start(weights);
    for (const loss of losses) {
      const run = await step.step(state, feeds, 0.1);
      expectClose("loss", [run.loss], [loss]);
      expect(run.gradientEvaluations).toBe(10);
      state = run.state;
    }
    for (const [name, values] of state.weights) {
      expectClose(name, values, expected[name] as readonly number[]);
    }
  });
});

function setOf(tensors: Tensors): ParameterSet {
  return new Map(Object.entries(tensors).map(([name, values]) => [name, Float32Array.from(values)]));
}

function batchFrom({ features, labels }: GoldenBatch) {
  return { features: Float32Array.from(features), labels: BigInt64Array.from(labels, BigInt) };
}

function samplesFrom(featureShape: readonly number[], { features, labels }: GoldenBatch): Samples {
  return samplesOf({
    idPrefix: "golden",
    featureShape,
    features: { values: Float32Array.from(features) },
    labels: Int32Array.from(labels),
    classCount: CLASSES,
  });
}

function expectClose(name: string, got: ArrayLike<number>, expected: readonly number[]): void {
  expect(got.length, name).toBe(expected.length);
  const scale = Math.max(...expected.map(Math.abs), Number.MIN_VALUE);
  const worst = Math.max(...expected.map((x, i) => Math.abs(x - (got[i] as number)) / scale));
  expect(worst, name).toBeLessThan(TOLERANCE);
}
