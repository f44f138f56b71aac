import { type Batch, batchesOf } from "../../data/batches.ts";
import type { Samples } from "../../data/dataset.ts";
import { sizeOf } from "../../kernel/layout.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import type { Architecture } from "../../models/architecture.ts";
import { add, onesLike } from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";
import type { NumericArray, RuntimeOptions } from "../../runtime/program.ts";
import { crossEntropies } from "../losses.ts";
import { compilePerSample, type PerSampleValues, type SampleOutputs } from "./per-sample-values.ts";
import { DATA, type SampleLoss } from "./sample-loss.ts";

/** Gradients of each sample's own loss. */
export interface SampleGradients extends AsyncDisposable {
  /** Whether a batch takes one run; otherwise it takes one a sample. */
  readonly isBatched: boolean;
  /** @returns for every parameter [rows, …shape] */
  gradients(weights: ParameterSet, batch: Batch): Promise<ParameterSet>;
}

/** Norms of each sample's gradient over all parameters. */
export interface SampleNorms extends AsyncDisposable {
  readonly isBatched: boolean;
  /** ‖∇ℓₙ‖². @returns [samples.count] */
  squaredNorms(weights: ParameterSet, samples: Samples): Promise<Float32Array>;
}

/** How the gradients of samples are taken. */
export interface SampleGradientOptions extends RuntimeOptions {
  /** The cross-entropy when left out. */
  readonly loss?: SampleLoss;
  /** False takes samples one by one even where a batch is possible. */
  readonly isBatched?: boolean;
}

/** Samples a run: large enough to fill the cores, small enough for gradients of all of them in memory. */
const BATCH = 64;

/**
 * Compiles every sample's gradient ∇ℓₙ, with running statistics held.
 *
 * One run a batch by {@link perSampleGradients}; one run a sample where the architecture has no rule. On one core a batch of 64
 * images took 5.5 ms in one run against 10 to 33 one by one (mlp), 7 against 26 (cnn) and 180 against 195 (cnn-medium, where
 * writing 64 · 421,642 numbers is the work); the batch's own gradient took 0.4, 7 and 35 ms. `bench/sample-gradients.ts`
 * measures it.
 */
export async function compileSampleGradients(
  architecture: Architecture,
  options: SampleGradientOptions = {},
): Promise<SampleGradients> {
  const values = await compile(architecture, options, (samples) =>
    Object.fromEntries([...samples].map(([name, { gradients }]) => [name, gradients])),
  );
  return {
    isBatched: values.isBatched,
    async gradients(weights, batch) {
      const rows = batch.features.length / sizeOf(architecture.inputShape);
      const pieces: Readonly<Record<string, NumericArray>>[] = [];
      for (const piece of piecesOf(batch, rows, values.isBatched ? rows : 1)) {
        pieces.push(await values.run(weights, { [DATA]: { ...piece } }));
      }
      const joined = architecture.weights.filter(({ role }) => role === "parameter");
      return new Map(
        joined.map(({ name }) => [name, concatenated(pieces.map((piece) => piece[name] as Float32Array))]),
      );
    },
    [Symbol.asyncDispose]: () => values[Symbol.asyncDispose](),
  };
}

/** Compiles the squared norms ‖∇ℓₙ‖², for dense layers without the gradients themselves. */
export async function compileSampleNorms(
  architecture: Architecture,
  options: SampleGradientOptions = {},
): Promise<SampleNorms> {
  const values = await compile(architecture, options, (samples) => ({
    norms: [...samples.values()].map(({ squaredNorms }) => squaredNorms).reduce(add),
  }));
  return {
    isBatched: values.isBatched,
    async squaredNorms(weights, samples) {
      const parts: Float32Array[] = [];
      for (const batch of batchesOf(samples, values.isBatched ? BATCH : 1)) {
        parts.push((await values.run(weights, { [DATA]: { ...batch } })).norms as Float32Array);
      }
      return concatenated(parts);
    },
    [Symbol.asyncDispose]: () => values[Symbol.asyncDispose](),
  };
}

/** Each sample's loss, to be pulled back with ones. */
export function sampleLosses(loss: SampleLoss, logits: Value, labels: Value): SampleOutputs {
  const outputs = loss(logits, labels);
  return { outputs, seed: onesLike(outputs) };
}

function compile(
  architecture: Architecture,
  { loss = crossEntropies, ...runtime }: SampleGradientOptions,
  define: Parameters<typeof compilePerSample>[2],
): Promise<PerSampleValues> {
  return compilePerSample(
    architecture,
    (logits, context) => sampleLosses(loss, logits, context.labels(DATA)),
    define,
    runtime,
  );
}

function* piecesOf({ features, labels }: Batch, rows: number, size: number): Generator<Batch> {
  const [width, answers] = [features.length / rows, labels.length / rows];
  for (let row = 0; row < rows; row += size) {
    yield {
      features: features.subarray(row * width, (row + size) * width),
      labels: labels.subarray(row * answers, (row + size) * answers),
    };
  }
}

function concatenated(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
