import { fisherProduct } from "../../autodiff/fisher-product.ts";
import { gaussNewtonProduct } from "../../autodiff/gauss-newton-product.ts";
import { hessianVectorProduct } from "../../autodiff/hessian-vector-product.ts";
import type { Tangent } from "../../autodiff/jacobian-vector-product.ts";
import { type Batch, batchesOf } from "../../data/batches.ts";
import type { Samples } from "../../data/dataset.ts";
import { LetheError } from "../../kernel/errors.ts";
import { deriveKey, type Key, randomStream } from "../../kernel/key.ts";
import { sizeOf } from "../../kernel/layout.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import type { Architecture } from "../../models/architecture.ts";
import { add, argMax, reduceMean } from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";
import { addScaled, type LinearOperator } from "../../runtime/linear-algebra/linear-operator.ts";
import type { RuntimeOptions } from "../../runtime/program.ts";
import { compileValues } from "../compiled-values.ts";
import { crossEntropies } from "../losses.ts";
import type { ObjectiveContext } from "../objective-context.ts";
import { DATA, dataLogits, type SampleLoss } from "../per-sample/sample-loss.ts";
import { parameterVector, vectorParameters } from "./parameter-vector.ts";

/**
 * Which matrix: the mean loss's Hessian; its generalised Gauss–Newton matrix (for the cross-entropy the exact Fisher information);
 * the empirical Fisher matrix of the data's labels; the Fisher information with one label a sample drawn from the model.
 */
export type CurvatureKind = "hessian" | "gauss-newton" | "empirical-fisher" | "sampled-fisher";

/** Where a curvature matrix is taken. */
export interface CurvaturePoint {
  readonly weights: ParameterSet;
  readonly samples: Samples;
  /** Samples a run; what is computed does not depend on it. */
  readonly batchSize: number;
  /** Draws the labels of `sampled-fisher`, the same for every product. */
  readonly key?: Key;
}

/** An operator that counts what its products cost. */
export interface CurvatureOperator extends LinearOperator {
  /** Samples × backward passes of all products so far. */
  gradientEvaluations(): number;
}

/** Compiled products with a curvature matrix of the mean loss, over the trained parameters. */
export interface Curvature extends AsyncDisposable {
  /** The matrix over all samples of a point; a vector is laid out as the parameters in the model's flat vector. */
  at(point: CurvaturePoint): CurvatureOperator;
  /** The product over one batch alone, for stochastic series. */
  product(weights: ParameterSet, batch: Batch, vector: Float64Array, key?: Key): Promise<Float64Array>;
}

/** Reverse passes over a batch in one product. */
const PASSES = { hessian: 2, "gauss-newton": 3, "empirical-fisher": 3, "sampled-fisher": 3 } as const;

/**
 * Compiles the products of a curvature matrix with vectors, with running statistics held so that the mean over samples is the mean
 * over batches.
 *
 * @param options.loss - each sample's loss; the cross-entropy when left out
 * @throws LETHE_DATA_NO_GRADIENT when an operator on the way has no gradient
 */
export async function compileCurvature(
  architecture: Architecture,
  kind: CurvatureKind,
  { loss = crossEntropies, ...runtime }: RuntimeOptions & { readonly loss?: SampleLoss } = {},
): Promise<Curvature> {
  const values = await compileValues(
    architecture,
    (context) => {
      const direction = context.parameterSet("direction");
      const along = [...context.parameters].map(([name, value]) => ({
        value,
        direction: direction.get(name) as Value,
      }));
      const image = productOf(kind, loss, context, along);
      return Object.fromEntries(
        [...context.parameters.keys()].map((name, index) => [name, image[index] as Value]),
      );
    },
    runtime,
  );
  const product: Curvature["product"] = async (weights, batch, vector, key) => {
    const noise =
      kind === "sampled-fisher"
        ? gumbel(requireKey(key), rowsOf(architecture, batch) * architecture.classes)
        : undefined;
    const { features, labels } = batch;
    const results = await values.run(weights, {
      [DATA]: {
        features,
        ...(kind === "sampled-fisher" ? {} : { labels }),
        ...(noise === undefined ? {} : { noise }),
      },
      direction: vectorParameters(architecture, vector),
    });
    return parameterVector(architecture, results);
  };
  return {
    product,
    at({ weights, samples, batchSize, key }) {
      requireSamples(samples);
      const { length } = parameterVector(architecture, weights);
      let evaluations = 0;
      return {
        size: length,
        gradientEvaluations: () => evaluations,
        async apply(vector) {
          const sum = new Float64Array(length);
          let row = 0;
          for (const batch of batchesOf(samples, batchSize)) {
            const batchKey = key === undefined ? undefined : deriveKey(key, "labels", row);
            const part = await product(weights, batch, vector, batchKey);
            const rows = rowsOf(architecture, batch);
            addScaled(sum, part, rows / samples.count);
            row += rows;
          }
          evaluations += samples.count * PASSES[kind];
          return sum;
        },
      };
    },
    [Symbol.asyncDispose]: () => values[Symbol.asyncDispose](),
  };
}

function productOf(
  kind: CurvatureKind,
  loss: SampleLoss,
  context: ObjectiveContext,
  along: readonly Tangent[],
): readonly Value[] {
  const logits = dataLogits(context);
  switch (kind) {
    case "hessian":
      return hessianVectorProduct(reduceMean(loss(logits, context.labels(DATA))), along);
    case "gauss-newton":
      return gaussNewtonProduct(reduceMean(loss(logits, context.labels(DATA))), logits, along);
    case "empirical-fisher":
      return fisherProduct(loss(logits, context.labels(DATA)), along);
    case "sampled-fisher": {
      // The largest of logit plus Gumbel noise is a draw from softmax(logits) (Gumbel, 1954).
      const noise = context.tensor(`${DATA}:noise`, [DATA, context.architecture.classes]);
      return fisherProduct(loss(logits, argMax(add(logits, noise), 1)), along);
    }
    default:
      return kind satisfies never;
  }
}

function rowsOf(architecture: Architecture, { features }: Batch): number {
  return features.length / sizeOf(architecture.inputShape);
}

/** Standard Gumbel numbers, −ln(−ln u). */
function gumbel(key: Key, count: number): Float32Array {
  const stream = randomStream(key);
  // Half a step off zero: ln 0 is no number.
  return Float32Array.from({ length: count }, () => -Math.log(-Math.log(stream.uniform() + 2 ** -33)));
}

function requireKey(key: Key | undefined): Key {
  if (key !== undefined) return key;
  throw new LetheError(
    "usage",
    "USAGE_KEY",
    "Expected a `key` to draw labels for a sampled Fisher matrix, got none.",
  );
}

function requireSamples(samples: Samples): void {
  if (samples.count > 0) return;
  throw new LetheError("data", "DATA_EMPTY", "Expected samples to take a curvature over, got none.");
}
