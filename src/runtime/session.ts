import type { InferenceSession, Tensor as OrtTensor, TensorConstructor } from "onnxruntime-node";
import { LetheError } from "../kernel/errors.ts";
import type { Shape } from "../onnx/shape.ts";
import type { ArrayOf, DType } from "../onnx/tensor.ts";

/** The arrays a program takes and gives. */
export type NumericArray = ArrayOf[DType];

/** An input of a graph as its file declares it. */
export interface GraphInput {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

/** An array with all its sizes. */
export interface SizedArray {
  readonly dtype: DType;
  readonly sizes: readonly number[];
  readonly data: NumericArray;
}

/** A graph loaded into an engine; Node's and the browser's look alike from here on. */
export interface Session {
  /** What the engine reads; it drops inputs nothing depends on. */
  readonly inputs: readonly GraphInput[];
  readonly outputs: readonly string[];
  /** @throws LETHE_INTERNAL_RUNTIME when the engine fails */
  run(arrays: ReadonlyMap<string, SizedArray>): Promise<Readonly<Record<string, NumericArray>>>;
  release(): Promise<void>;
}

/** What both builds of ONNX Runtime have in common. */
export interface Engine {
  readonly InferenceSession: {
    create(model: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: TensorConstructor;
}

/**
 * Loads a graph into an engine.
 *
 * @param model - an ONNX file's bytes
 * @throws LETHE_INTERNAL_RUNTIME when the engine refuses the graph
 */
export async function loadSession(
  { InferenceSession, Tensor }: Engine,
  model: Uint8Array,
  options: InferenceSession.SessionOptions,
): Promise<Session> {
  const session = await engineCall("ONNX Runtime refused the graph", () =>
    InferenceSession.create(model, options),
  );
  return {
    inputs: session.inputMetadata.flatMap((input) =>
      input.isTensor ? [{ name: input.name, dtype: input.type as DType, shape: input.shape }] : [],
    ),
    outputs: session.outputNames,
    async run(arrays) {
      const feeds: Record<string, OrtTensor> = {};
      for (const [name, { dtype, data, sizes }] of arrays) {
        feeds[name] = new Tensor(dtype as "float32", data as Float32Array, sizes);
      }
      const results = await engineCall("ONNX Runtime could not run the graph", () => session.run(feeds));
      return Object.fromEntries(
        Object.entries(results).map(([name, result]) => [name, result.data as NumericArray]),
      );
    },
    release: () => session.release(),
  };
}

async function engineCall<Result>(what: string, call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LetheError("internal", "INTERNAL_RUNTIME", `${what}: ${reason}`, { cause });
  }
}
