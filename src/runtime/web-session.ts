import type { ModelContents } from "../onnx/write-model.ts";
import { loadOnDevice } from "./device-check.ts";
import type { RuntimeOptions } from "./runtime-options.ts";
import { type Engine, loadSession, type Session } from "./session.ts";
import { availableThreads } from "./threads.ts";

/** ONNX Runtime's build for browsers, with the settings of its WebAssembly part. */
interface WebEngine extends Engine {
  readonly env: { readonly wasm: { numThreads?: number } };
}

/** The graph itself: this build of the engine has no operators of its own for the machine. */
export async function lowerContents(
  contents: ModelContents,
  _options: RuntimeOptions,
): Promise<ModelContents> {
  return contents;
}

/**
 * Loads a graph into onnxruntime-web; a bundler for browsers puts this in the place of `node-session.ts`. The engine is
 * loaded with the first graph, and with it ONNX Runtime's `.wasm` file, which has to lie beside the bundle.
 *
 * Threads need a page that is cross-origin isolated (headers `Cross-Origin-Opener-Policy: same-origin` and
 * `Cross-Origin-Embedder-Policy: require-corp`); elsewhere there is one. The first graph of a page decides how many.
 *
 * @param model - an ONNX file's bytes
 * @throws LETHE_USAGE_DEVICE for a device the browser does not have; LETHE_INTERNAL_RUNTIME when the engine refuses the graph
 */
export async function openSession(model: Uint8Array, options: RuntimeOptions): Promise<Session> {
  const { device = "cpu" } = options;
  const engine: WebEngine =
    device === "webgpu" ? await import("onnxruntime-web/webgpu") : await import("onnxruntime-web/wasm");
  const isIsolated = (globalThis as { readonly crossOriginIsolated?: boolean }).crossOriginIsolated === true;
  engine.env.wasm.numThreads = isIsolated ? (options.threads ?? availableThreads()) : 1;
  const load = (bytes: Uint8Array): Promise<Session> =>
    loadSession(engine, bytes, {
      executionProviders: [device === "cpu" ? "wasm" : device],
      graphOptimizationLevel: "extended",
      logSeverityLevel: 3,
    });
  return device === "cpu"
    ? load(model)
    : loadOnDevice(
        device,
        model,
        load,
        "A browser needs WebGPU switched on and a graphics driver for webgpu.",
      );
}
