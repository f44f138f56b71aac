import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { lethe } from "./lethe.ts";

const STEP = join(import.meta.dirname, "device-step.ts");
/** Where Chromium, which `.ci/run` installs, has a Vulkan driver of software. */
const CHROMIUM = "/usr/lib/chromium";

async function weightsAfter(device: string, env: Readonly<Record<string, string>> = {}): Promise<number[]> {
  const options = { env: { ...process.env, ...env } };
  const { stdout } = await promisify(execFile)(process.execPath, ["--no-warnings", STEP, device], options);
  return JSON.parse(stdout);
}

describe("--device", () => {
  it("webgpu trains to the weights of the cpu", async () => {
    const [cpu, webgpu] = await Promise.all([
      weightsAfter("cpu"),
      weightsAfter("webgpu", {
        LD_LIBRARY_PATH: CHROMIUM,
        VK_ICD_FILENAMES: join(CHROMIUM, "vk_swiftshader_icd.json"),
      }),
    ]);
    expect(webgpu).toHaveLength(cpu.length);
    expect(cpu.length).toBeGreaterThan(40);
    webgpu.forEach((value, at) => {
      expect(value).toBeCloseTo(cpu[at] as number, 5);
    });
  });

  it.each([
    ["cuda", "npm rebuild onnxruntime-node --onnxruntime-node-install=cuda12"],
    ["webgpu", "mesa-vulkan-drivers"],
  ])("%s is refused where it cannot be used, with what it needs", async (device, remedy) => {
    const env = { VK_ICD_FILENAMES: "/no/driver.json", VK_DRIVER_FILES: "/no/driver.json" };
    const args = ["bench", "step", "--models", "mlp:4", "--steps", "1", "--device", device, "--json"];
    const run = await lethe(args, { env });
    expect(run.code).toBe(2);
    expect(run.json()).toMatchObject({
      error: { code: "LETHE_USAGE_DEVICE", message: expect.stringContaining(remedy) },
    });
  });

  it("takes none that does not exist", async () => {
    const run = await lethe(["datasets", "--device", "tpu"]);
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(/cpu, cuda, webgpu/);
  });
});
