import { operators } from "../autodiff/operators/index.ts";
import { LetheError } from "../kernel/errors.ts";
import { identity } from "../onnx/functions/index.ts";
import { Graph } from "../onnx/graph.ts";
import { writeModel } from "../onnx/write-model.ts";
import type { Device } from "./runtime-options.ts";
import type { Session } from "./session.ts";

/**
 * Loads a graph and, where that fails, tells a device that is not there from a graph the engine refuses: what the device
 * cannot do with the smallest graph of all it cannot do with any.
 *
 * @param load - loads a file's bytes on the device
 * @param remedy - what the device needs, and how to get it
 * @throws LETHE_USAGE_DEVICE; what `load` throws when the device works
 */
export async function loadOnDevice(
  device: Device,
  model: Uint8Array,
  load: (model: Uint8Array) => Promise<Session>,
  remedy: string,
): Promise<Session> {
  try {
    return await load(model);
  } catch (cause) {
    await requireDevice(device, load, remedy);
    throw cause;
  }
}

async function requireDevice(
  device: Device,
  load: (model: Uint8Array) => Promise<Session>,
  remedy: string,
): Promise<void> {
  const graph = new Graph(operators);
  const x = graph.input("x", "float32", [1]);
  try {
    const session = await load(writeModel({ inputs: [x], outputs: new Map([["y", identity(x)]]) }));
    await session.release();
  } catch (cause) {
    throw new LetheError(
      "usage",
      "USAGE_DEVICE",
      `Expected a device ONNX Runtime can use here, got ${device}, which it cannot. ${remedy} Or use the device cpu.`,
      { cause },
    );
  }
}
