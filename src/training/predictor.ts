import { operators } from "../autodiff/operators/index.ts";
import type { Samples } from "../data/dataset.ts";
import { sizeOf } from "../kernel/layout.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { type Architecture, batchShape } from "../models/architecture.ts";
import { denseFlops } from "../onnx/flops.ts";
import { Graph } from "../onnx/graph.ts";
import { compileProgram, type RuntimeOptions } from "../runtime/program.ts";
import { threadsFor } from "../runtime/threads.ts";

/** Rows (of class scores) per run: large enough to fill the cores, small enough for the caches. */
const BATCH = 500;

/** A compiled forward pass. */
export interface Predictor extends AsyncDisposable {
  /** Class scores of raw inputs (token ids too as numbers). @returns [count, …labelShape, classes] */
  logits(weights: ParameterSet, features: Float32Array): Promise<Float32Array>;
  /** Class scores of samples. @returns [samples.count, …labelShape, classes] */
  logitsOf(weights: ParameterSet, samples: Samples): Promise<Float32Array>;
}

/** Compiles the forward pass of an architecture as it is used (running statistics, no dropout). */
export async function createPredictor(
  architecture: Architecture,
  options: RuntimeOptions = {},
): Promise<Predictor> {
  const graph = new Graph(operators);
  const input = graph.input(architecture.inputName, architecture.inputType, batchShape(architecture));
  const weights = new Map(
    architecture.weights.map(({ name, shape }) => [name, graph.input(name, "float32", shape)] as const),
  );
  const { logits: output } = architecture.forward(input, (name) => weights.get(name) as never, "inference");
  const program = await compileProgram(
    { inputs: [input, ...weights.values()], outputs: new Map([["logits", output]]) },
    { ...options, threads: threadsFor(denseFlops(graph.nodes, BATCH), options.threads) },
  );
  const sampleSize = sizeOf(architecture.inputShape);
  const answers = sizeOf(architecture.labelShape) * architecture.classes;
  const batch = Math.max(1, Math.floor(BATCH / sizeOf(architecture.labelShape)));

  const logits: Predictor["logits"] = async (parameters, features) => {
    const feeds = Object.fromEntries(parameters);
    const rows = features.length / sampleSize;
    const out = new Float32Array(rows * answers);
    for (let row = 0; row < rows; row += batch) {
      const part = features.subarray(row * sampleSize, Math.min(rows, row + batch) * sampleSize);
      const result = await program.run({ ...feeds, [architecture.inputName]: part });
      out.set(result.logits as Float32Array, row * answers);
    }
    return out;
  };
  const logitsOf: Predictor["logitsOf"] = async (parameters, samples) => {
    const out = new Float32Array(samples.count * answers);
    for (let row = 0; row < samples.count; row += batch) {
      const indices = Uint32Array.from(
        { length: Math.min(batch, samples.count - row) },
        (_, index) => row + index,
      );
      const features = new Float32Array(indices.length * sampleSize);
      samples.gather(indices, features);
      out.set(await logits(parameters, features), row * answers);
    }
    return out;
  };
  return { logits, logitsOf, [Symbol.asyncDispose]: () => program.dispose() };
}
