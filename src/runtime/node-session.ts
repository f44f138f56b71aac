import * as engine from "onnxruntime-node";
import type { ModelContents } from "../onnx/write-model.ts";
import { loadOnDevice } from "./device-check.ts";
import { hasBlockableConvolutions, withBlockedConvolutions } from "./lowering/blocked-convolution.ts";
import { findBlockSize } from "./lowering/find-block-size.ts";
import type { Device, RuntimeOptions } from "./runtime-options.ts";
import { loadSession, type Session } from "./session.ts";
import { availableThreads } from "./threads.ts";

/** What has to be there for a device to work, and how to get it. */
const REMEDIES: Readonly<Record<Exclude<Device, "cpu">, string>> = {
  cuda:
    "It needs an NVIDIA card with CUDA 12 and cuDNN 9 on Linux x64, and ONNX Runtime's part for it: " +
    "npm rebuild onnxruntime-node --onnxruntime-node-install=cuda12.",
  webgpu:
    "It needs a graphics driver: Vulkan on Linux (Debian: mesa-vulkan-drivers), Direct3D 12 on Windows, Metal on macOS.",
};

/** Found once a process: the machine does not change. */
let blockSize: Promise<number | undefined> | undefined;

/** Channels in a block of this machine's blocked convolutions; `undefined` where there are none. */
export function machineBlockSize(): Promise<number | undefined> {
  blockSize ??= findBlockSize((model) => openSession(model, { threads: 1, spinning: false }));
  return blockSize;
}

/** The same graph in the operators that are fastest on this machine. */
export async function lowerContents(
  contents: ModelContents,
  options: RuntimeOptions,
): Promise<ModelContents> {
  const { device = "cpu", lowering = "native" } = options;
  if (device !== "cpu" || lowering === "portable" || !hasBlockableConvolutions(contents)) return contents;
  const block = await machineBlockSize();
  return block === undefined ? contents : withBlockedConvolutions(contents, block);
}

/**
 * Loads a graph into onnxruntime-node.
 *
 * @param model - an ONNX file's bytes
 * @throws LETHE_USAGE_DEVICE for a device the engine cannot use here; LETHE_INTERNAL_RUNTIME when it refuses the graph
 */
export async function openSession(model: Uint8Array, options: RuntimeOptions): Promise<Session> {
  const { device = "cpu" } = options;
  const load = (bytes: Uint8Array): Promise<Session> =>
    loadSession(engine, bytes, {
      executionProviders: [device],
      // "all" wraps pools in layout changes that cost more than they bring in graphs whose weights are inputs.
      graphOptimizationLevel: "extended",
      intraOpNumThreads: options.threads ?? availableThreads(),
      interOpNumThreads: 1,
      logSeverityLevel: 3,
      extra: { session: { intra_op: { allow_spinning: options.spinning === false ? "0" : "1" } } },
    });
  return device === "cpu" ? load(model) : loadOnDevice(device, model, load, REMEDIES[device]);
}
