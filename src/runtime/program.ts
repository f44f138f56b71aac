import { LetheError } from "../kernel/errors.ts";
import { type ModelContents, writeModel } from "../onnx/write-model.ts";
// A bundler for browsers reads web-session.ts here: package.json says so under "browser".
import { lowerContents, openSession } from "./node-session.ts";
import type { RuntimeOptions } from "./runtime-options.ts";
import type { GraphInput, NumericArray, Session } from "./session.ts";
import { feedReader, type NamedSizes } from "./sized-arrays.ts";

export type { RuntimeOptions } from "./runtime-options.ts";
export type { NumericArray } from "./session.ts";
export type { NamedSizes } from "./sized-arrays.ts";

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

/** A program read from a file, with what the file says of its inputs. */
export interface OpenedProgram extends Program, AsyncDisposable {
  readonly signature: readonly GraphInput[];
}

/**
 * Compiles the part of a graph that the outputs need for ONNX Runtime.
 *
 * @throws LETHE_INTERNAL_RUNTIME when the engine refuses the graph; LETHE_USAGE_DEVICE for a device it cannot use
 *   here; LETHE_USAGE_PRECISION for mixed precision
 * @example
 * await using program = await compileProgram({ inputs: [x, w], outputs: new Map([["y", matmul(x, w)]]) });
 */
export async function compileProgram(
  contents: ModelContents,
  options: RuntimeOptions = {},
): Promise<Program & AsyncDisposable> {
  const session = await open(writeModel(await lowerContents(contents, options)), options);
  const fed = contents.inputs.filter((input) => !contents.initializers?.has(input));
  const isRead = new Set(session.inputs.map(({ name }) => name));
  const program = programOf(
    session,
    fed.filter(({ name }) => isRead.has(name)),
  );
  return { ...program, inputs: fed.map(({ name }) => name) };
}

/**
 * Compiles an ONNX file, such as one that {@link writeModel} or `lethe differentiate` wrote. Needs nothing of what made it.
 *
 * @param model - the file's bytes, its weights inside
 * @throws as {@link compileProgram}
 */
export async function openProgram(model: Uint8Array, options: RuntimeOptions = {}): Promise<OpenedProgram> {
  const session = await open(model, options);
  return { ...programOf(session, session.inputs), signature: session.inputs };
}

async function open(model: Uint8Array, options: RuntimeOptions): Promise<Session> {
  if (options.precision === "mixed") {
    throw new LetheError(
      "usage",
      "USAGE_PRECISION",
      "Expected precision float32, got mixed: graphs are computed in float32 alone. Leave the precision out.",
    );
  }
  return openSession(model, options);
}

function programOf(session: Session, inputs: readonly GraphInput[]): Program & AsyncDisposable {
  const read = feedReader(inputs);
  return {
    inputs: inputs.map(({ name }) => name),
    outputs: session.outputs,
    run: async (feeds, sizes = {}) => session.run(read(feeds, sizes)),
    dispose: session.release,
    [Symbol.asyncDispose]: session.release,
  };
}
