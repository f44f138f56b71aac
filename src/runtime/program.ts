import { availableParallelism } from "node:os";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { LetheError } from "../kernel/errors.ts";
import type { Value } from "../onnx/ir.ts";
import { formatShape, type Shape } from "../onnx/shape.ts";
import { type ArrayOf, type DType, isFloating, tensorOfNumbers } from "../onnx/tensor.ts";
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

/** Sizes of dimensions that have only a name in the graph: `{ sequence: 128 }`. */
export type NamedSizes = Readonly<Record<string, number>>;

/** A compiled graph: named arrays in, named arrays out. */
export interface Program {
  /** The names of the inputs, in order. */
  readonly inputs: readonly string[];
  /** The names of the outputs, in order. */
  readonly outputs: readonly string[];
  /**
   * Runs the graph. Inputs are read in place, outputs are fresh arrays. The named dimension of an input is found from its
   * array's length; of an input with several, all but one have to be named in `sizes` or follow from other inputs. An integer
   * input takes whole numbers in a Float32Array too, which is how data sets hold them.
   *
   * @param sizes - of named dimensions
   * @throws LETHE_USAGE_FEED for a missing input or a length that does not fit; LETHE_INTERNAL_RUNTIME when the engine fails
   */
  run(
    feeds: Readonly<Record<string, NumericArray>>,
    sizes?: NamedSizes,
  ): Promise<Readonly<Record<string, NumericArray>>>;
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

  const hasSeveralNames = inputs.some(({ shape }) => namesOf(shape).length > 1);
  const run: Program["run"] = async (feeds, sizes = {}) => {
    const known = hasSeveralNames ? namedSizes(inputs, feeds, sizes) : sizes;
    const tensors: Record<string, OrtTensor> = {};
    for (const input of inputs) tensors[input.name] = tensorFor(input, feeds[input.name], known);
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

function tensorFor(input: Value, data: NumericArray | undefined, sizes: NamedSizes): OrtTensor {
  if (data === undefined) {
    throw new LetheError("usage", "USAGE_FEED", `Expected a value for input \`${input.name}\`, got none.`);
  }
  const elements =
    isFloating(input.dtype) || !(data instanceof Float32Array) ? data : wholeNumbers(input, data);
  return new OrtTensor(
    input.dtype as "float32",
    elements as Float32Array,
    sizesOf(input, data.length, sizes),
  );
}

function wholeNumbers(input: Value, data: Float32Array): NumericArray {
  if (data.every(Number.isInteger)) return tensorOfNumbers(input.dtype, [data.length], [...data]).data;
  throw new LetheError(
    "usage",
    "USAGE_FEED",
    `Expected whole numbers for input \`${input.name}\`, which holds ids, got others among them.`,
  );
}

const namesOf = (shape: Shape): string[] => [...new Set(shape.filter((dim) => typeof dim === "string"))];

/** Sizes given, and those that inputs with one unknown size tell about the others. */
function namedSizes(
  inputs: readonly Value[],
  feeds: Readonly<Record<string, NumericArray>>,
  given: NamedSizes,
): NamedSizes {
  const known: Record<string, number> = { ...given };
  for (let found = -1; found !== Object.keys(known).length; ) {
    found = Object.keys(known).length;
    for (const input of inputs) {
      const unknown = namesOf(input.shape).filter((name) => known[name] === undefined);
      const data = feeds[input.name];
      if (unknown.length !== 1 || data === undefined) continue;
      known[unknown[0] as string] = lastSize(input.shape, data.length, known);
    }
  }
  return known;
}

/** What the one unknown size has to be for `length` elements. */
function lastSize(shape: Shape, length: number, sizes: NamedSizes): number {
  const rest = shape.reduce<number>(
    (product, dim) => product * (typeof dim === "number" ? dim : (sizes[dim] ?? 1)),
    1,
  );
  const times = shape.filter((dim) => typeof dim === "string" && sizes[dim] === undefined).length;
  return times > 1 ? (length / rest) ** (1 / times) : length / rest;
}

function sizesOf({ name, shape }: Value, length: number, sizes: NamedSizes): number[] {
  const unknown = namesOf(shape).filter((dim) => sizes[dim] === undefined);
  const missing = lastSize(shape, length, sizes);
  const resolved = shape.map((dim) => (typeof dim === "number" ? dim : (sizes[dim] ?? missing)));
  const fills = resolved.reduce((product, size) => product * size, 1) === length;
  if (unknown.length > 1 || !fills || !resolved.every((size) => Number.isInteger(size) && size >= 0)) {
    throw new LetheError(
      "usage",
      "USAGE_FEED",
      `Expected an array that fills shape ${formatShape(shape)} for input \`${name}\`, got ${length} elements` +
        `${unknown.length > 1 ? `; say the sizes of ${unknown.join(" and ")}` : ""}.`,
    );
  }
  return resolved;
}

function runtimeError(what: string, cause: unknown): LetheError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new LetheError("internal", "INTERNAL_RUNTIME", `${what}: ${reason}`, { cause });
}
