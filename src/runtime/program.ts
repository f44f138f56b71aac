import { availableParallelism } from "node:os";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { LetheError } from "../kernel/errors.ts";
import type { Value } from "../onnx/ir.ts";
import { formatShape, type Shape } from "../onnx/shape.ts";
import type { ArrayOf, DType } from "../onnx/tensor.ts";
import { type ModelContents, writeModel } from "../onnx/write-model.ts";

/** Where and how a program runs. */
export interface RuntimeOptions {
  /** Threads inside one operator; all cores when left out. Results are bit-identical for equal counts only. */
  readonly threads?: number;
  /** Let idle threads spin: 10–30 % faster on a machine of one's own, much slower where cores are shared. */
  readonly spinning?: boolean;
  /** `mixed` computes in 16 bits where the device has such arithmetic; on the CPU it is refused. */
  readonly precision?: "float32" | "mixed" | undefined;
}

/** The arrays a program takes and gives. */
export type NumericArray = ArrayOf[DType];

/** A compiled graph: named arrays in, named arrays out. */
export interface Program {
  /** The names of the inputs, in order. */
  readonly inputs: readonly string[];
  /** The names of the outputs, in order. */
  readonly outputs: readonly string[];
  /**
   * Runs the graph. Inputs are read in place, outputs are fresh arrays. The named dimension of an input is found from its
   * array's length. An int64 input takes whole numbers in a Float32Array too, which is how data sets hold them.
   *
   * @throws LETHE_USAGE_FEED for a missing input or a length that does not fit; LETHE_INTERNAL_RUNTIME when the engine fails
   */
  run(feeds: Readonly<Record<string, NumericArray>>): Promise<Readonly<Record<string, NumericArray>>>;
  /** Frees the engine's memory; the program must not be used afterwards. */
  dispose(): Promise<void>;
}

/**
 * Compiles the part of a graph that the outputs need for ONNX Runtime.
 *
 * @throws LETHE_INTERNAL_RUNTIME when the engine refuses the graph; LETHE_USAGE_PRECISION for mixed precision on a CPU
 * @example
 * await using program = await compileProgram({ inputs: [x, w], outputs: new Map([["y", matmul(x, w)]]) });
 */
export async function compileProgram(
  contents: ModelContents,
  options: RuntimeOptions = {},
): Promise<Program & AsyncDisposable> {
  const session = await createSession(writeModel(contents), options);
  const fed = contents.inputs.filter((input) => !contents.initializers?.has(input));
  // The engine drops inputs nothing depends on.
  const inputs = fed.filter((input) => session.inputNames.includes(input.name));
  const outputs = [...contents.outputs.keys()];

  const run: Program["run"] = async (feeds) => {
    const tensors: Record<string, OrtTensor> = {};
    for (const input of inputs) tensors[input.name] = tensorFor(input, feeds[input.name]);
    try {
      const results = await session.run(tensors);
      return Object.fromEntries(
        outputs.map((name) => [name, (results[name] as OrtTensor).data as NumericArray]),
      );
    } catch (cause) {
      throw runtimeError("ONNX Runtime could not run the graph", cause);
    }
  };
  const dispose = async (): Promise<void> => session.release();
  return { inputs: fed.map((input) => input.name), outputs, run, dispose, [Symbol.asyncDispose]: dispose };
}

async function createSession(model: Uint8Array, options: RuntimeOptions): Promise<InferenceSession> {
  if (options.precision === "mixed") {
    throw new LetheError(
      "usage",
      "USAGE_PRECISION",
      "Expected precision float32, got mixed: this engine runs on the CPU, in float32 alone. Leave the precision out.",
    );
  }
  try {
    return await InferenceSession.create(model, {
      executionProviders: ["cpu"],
      // "all" wraps pools in layout changes that cost more than they bring in graphs whose weights are inputs.
      graphOptimizationLevel: "extended",
      intraOpNumThreads: options.threads ?? availableParallelism(),
      interOpNumThreads: 1,
      logSeverityLevel: 3,
      extra: { session: { intra_op: { allow_spinning: options.spinning === false ? "0" : "1" } } },
    });
  } catch (cause) {
    throw runtimeError("ONNX Runtime refused the graph", cause);
  }
}

function tensorFor(input: Value, data: NumericArray | undefined): OrtTensor {
  if (data === undefined) {
    throw new LetheError("usage", "USAGE_FEED", `Expected a value for input \`${input.name}\`, got none.`);
  }
  return new OrtTensor(
    input.dtype as "float32",
    (input.dtype === "int64" && data instanceof Float32Array
      ? wholeNumbers(input.name, data)
      : data) as Float32Array,
    sizesOf(input.name, input.shape, data.length),
  );
}

function wholeNumbers(name: string, data: Float32Array): BigInt64Array {
  if (data.every(Number.isInteger)) return BigInt64Array.from(data, BigInt);
  throw new LetheError(
    "usage",
    "USAGE_FEED",
    `Expected whole numbers for input \`${name}\`, which holds ids, got others among them.`,
  );
}

function sizesOf(name: string, shape: Shape, length: number): number[] {
  const known = shape.reduce<number>(
    (product, dim) => (typeof dim === "number" ? product * dim : product),
    1,
  );
  const named = shape.filter((dim) => typeof dim === "string").length;
  const missing = named === 0 ? 1 : length / known;
  if (named > 1 || !Number.isInteger(missing) || known * missing !== length) {
    throw new LetheError(
      "usage",
      "USAGE_FEED",
      `Expected an array that fills shape ${formatShape(shape)} for input \`${name}\`, got ${length} elements.`,
    );
  }
  return shape.map((dim) => (typeof dim === "number" ? dim : missing));
}

function runtimeError(what: string, cause: unknown): LetheError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new LetheError("internal", "INTERNAL_RUNTIME", `${what}: ${reason}`, { cause });
}
