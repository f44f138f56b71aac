import { type Batch, batchesOf } from "../../data/batches.ts";
import type { Samples } from "../../data/dataset.ts";
import { LetheError } from "../../kernel/errors.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import type { Architecture } from "../../models/architecture.ts";
import { mul, oneHot, reduceSum, softmax, sqrt, sub } from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";
import { addScaled } from "../../runtime/linear-algebra/linear-operator.ts";
import type { RuntimeOptions } from "../../runtime/program.ts";
import { crossEntropies } from "../losses.ts";
import { compilePerSample, type SampleOutputs } from "../per-sample/per-sample-values.ts";
import { sampleLosses } from "../per-sample/sample-gradients.ts";
import { DATA, type SampleLoss } from "../per-sample/sample-loss.ts";
import { parameterVector, vectorParameters } from "./parameter-vector.ts";

/** The diagonal of a Fisher matrix and what it cost. */
export interface DiagonalFisherResult {
  /** Means over the samples, for every parameter, ≥ 0. */
  readonly diagonal: ParameterSet;
  /** Samples × backward passes. */
  readonly gradientEvaluations: number;
}

/** A compiled diagonal. */
export interface DiagonalFisher extends AsyncDisposable {
  /** @throws LETHE_DATA_EMPTY for no samples */
  at(weights: ParameterSet, samples: Samples): Promise<DiagonalFisherResult>;
}

/** How the labels are taken, and each sample's loss for the data's labels. */
export interface DiagonalFisherOptions extends RuntimeOptions {
  readonly loss?: SampleLoss;
}

/** Samples a run. */
const BATCH = 64;

/**
 * Compiles the diagonal of the empirical Fisher matrix, (1/N) Σₙ (∂ℓₙ/∂w)² with the data's labels.
 *
 * Source: J. Kirkpatrick et al., arXiv 1612.00796 (elastic weight consolidation), with labels of the data.
 */
export async function compileEmpiricalDiagonal(
  architecture: Architecture,
  { loss = crossEntropies, ...runtime }: DiagonalFisherOptions = {},
): Promise<DiagonalFisher> {
  return compileDiagonal(
    architecture,
    (logits, labels) => sampleLosses(loss, logits, labels),
    ({ labels }) => [labels],
    runtime,
  );
}

/**
 * Compiles the diagonal of the Fisher information of a classifier, (1/N) Σₙ Σ_c pₙc·(∂ log pₙc/∂w)², exactly over all classes. It is
 * also that of the generalised Gauss–Newton matrix of the mean cross-entropy.
 *
 * Cost: a backward pass for every class.
 * Source: A. Golatkar, A. Achille, S. Soatto, arXiv 1911.04933, section 4 (the expectation over classes).
 */
export async function compileFisherDiagonal(
  architecture: Architecture,
  runtime: RuntimeOptions = {},
): Promise<DiagonalFisher> {
  const everyClass = ({ labels }: Batch): BigInt64Array[] =>
    Array.from({ length: architecture.classes }, (_, label) =>
      new BigInt64Array(labels.length).fill(BigInt(label)),
    );
  return compileDiagonal(architecture, weightedClass, everyClass, runtime);
}

/** √pₙc times the gradient of log pₙc at the logits, e_c − pₙ, to be pulled back: its square is weighted by pₙc. */
function weightedClass(logits: Value, labels: Value): SampleOutputs {
  const p = softmax(logits);
  const wanted = oneHot(labels, Number(logits.shape[1]), logits.dtype);
  const own = reduceSum(mul(p, wanted), { axes: [1], keepDims: true });
  return { outputs: logits, seed: mul(sqrt(own), sub(wanted, p)) };
}

/** @param labelings - the labels each sample is taken with, a run for each */
async function compileDiagonal(
  architecture: Architecture,
  differentiate: (logits: Value, labels: Value) => SampleOutputs,
  labelings: (batch: Batch) => readonly BigInt64Array[],
  runtime: RuntimeOptions,
): Promise<DiagonalFisher> {
  const values = await compilePerSample(
    architecture,
    (logits, context) => differentiate(logits, context.labels(DATA)),
    (samples) => Object.fromEntries([...samples].map(([name, { sumOfSquares }]) => [name, sumOfSquares])),
    runtime,
  );
  return {
    async at(weights, samples) {
      if (samples.count === 0) {
        throw new LetheError(
          "data",
          "DATA_EMPTY",
          "Expected samples to take a Fisher matrix over, got none.",
        );
      }
      let sums: Float64Array | undefined;
      let gradientEvaluations = 0;
      for (const batch of batchesOf(samples, values.isBatched ? BATCH : 1)) {
        for (const labels of labelings(batch)) {
          const part = parameterVector(
            architecture,
            await values.run(weights, { [DATA]: { features: batch.features, labels } }),
          );
          if (sums === undefined) sums = part;
          else addScaled(sums, part, 1);
          gradientEvaluations += batch.features.length / samples.featureLength;
        }
      }
      const mean = (sums as Float64Array).map((sum) => sum / samples.count);
      return { diagonal: vectorParameters(architecture, mean), gradientEvaluations };
    },
    [Symbol.asyncDispose]: () => values[Symbol.asyncDispose](),
  };
}
