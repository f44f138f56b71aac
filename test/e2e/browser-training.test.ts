import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createModel } from "../../src/models/index.ts";
import { writeModel } from "../../src/onnx/write-model.ts";
import type { RuntimeOptions } from "../../src/runtime/program.ts";
import { parseOptimizer } from "../../src/training/optimizers.ts";
import { buildStepGraph } from "../../src/training/step-graph.ts";
import { launchChromium } from "../support/chromium.ts";
import { INPUT, type LocalTask, localEpoch, type PlainWeights } from "./browser-page.ts";

const CPU: RuntimeOptions = { threads: 1, spinning: false };
const GPU: RuntimeOptions = { device: "webgpu" };
/** Chromium's WebGPU on a graphics driver of software, which comes with it. */
const SOFTWARE_GPU = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan",
  "--ignore-gpu-blocklist",
];
/** The WebAssembly of the engine's two builds. */
const WASM = ["ort-wasm-simd-threaded.wasm", "ort-wasm-simd-threaded.asyncify.wasm"];
/** 200 samples in batches of 20. */
const EPOCH = 10;
const TASKS: readonly Omit<LocalTask, "steps">[] = [
  { model: "mlp:16", optimizer: "adam", learningRate: 0.01 },
  { model: "cnn", optimizer: { id: "sgd", momentum: 0.9 }, learningRate: 0.02 },
];

describe("training in a browser", () => {
  let browser: Browser;
  let server: Server;
  let page: Page;
  const troubles: string[] = [];
  const files = new Map<string, { readonly type: string; readonly body: Uint8Array | string }>();

  beforeAll(async () => {
    for (const { model, optimizer } of TASKS) files.set(`/${model}.onnx`, stepFile(model, optimizer));
    for (const [path, file] of await bundle()) files.set(path, file);
    server = createServer((request, response) => {
      const file = files.get(decodeURIComponent(request.url ?? ""));
      if (file === undefined) response.writeHead(404).end();
      else response.writeHead(200, { "content-type": file.type }).end(file.body);
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    browser = await launchChromium(SOFTWARE_GPU);
    page = await browser.newPage();
    page.on("console", (message) => troubles.push(message.text()));
    page.on("pageerror", (error) => troubles.push(error.message));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  const inPage = (task: LocalTask, address: string | undefined, runtime = CPU): Promise<PlainWeights> =>
    page.evaluate(
      ([...values]) =>
        (globalThis as unknown as { localEpoch: (...all: unknown[]) => never }).localEpoch(...values),
      [task, address, runtime] as const,
    );

  for (const task of TASKS) {
    it.each([
      ["one step", 1],
      ["a whole epoch", EPOCH],
    ])(
      `gives ${task.model} by %s from the file of a step graph the weights Node gives it`,
      async (_name, steps) => {
        const address = `/${task.model}.onnx`;
        const here = await localEpoch({ ...task, steps }, files.get(address)?.body as Uint8Array, CPU);
        expectClose(await inPage({ ...task, steps }, address), here);
        expect(troubles).toEqual([]);
      },
    );

    it(`differentiates ${task.model} itself, to the same weights`, async () => {
      const [there, here] = [
        await inPage({ ...task, steps: EPOCH }, undefined),
        await localEpoch({ ...task, steps: EPOCH }, undefined, CPU),
      ];
      expectClose(there, here);
      expect(troubles).toEqual([]);
    });
  }

  it("trains on WebGPU too, to the same weights", async () => {
    const task = { ...(TASKS[0] as (typeof TASKS)[number]), steps: 1 };
    const here = await localEpoch(task, undefined, CPU);
    expect(await page.evaluate("navigator.gpu.requestAdapter().then((adapter) => adapter !== null)")).toBe(
      true,
    );
    expectClose(await inPage(task, `/${task.model}.onnx`, GPU), here);
  });
});

function stepFile(model: string, optimizer: LocalTask["optimizer"]) {
  const step = buildStepGraph(createModel(model, INPUT), {
    loss: "cross-entropy",
    optimizer: parseOptimizer(optimizer),
  });
  return { type: "application/octet-stream", body: writeModel(step.contents) };
}

/** The page's program with the browser's engine in it, and the engine's WebAssembly. */
async function bundle() {
  const build = await rolldown({
    input: join(import.meta.dirname, "browser-page.ts"),
    platform: "browser",
    plugins: [
      {
        // What the package's `browser` field does to the built files, for the sources.
        name: "web session",
        resolveId: (source) =>
          source.endsWith("/node-session.ts")
            ? join(import.meta.dirname, "../../src/runtime/web-session.ts")
            : null,
      },
    ],
  });
  const { output } = await build.generate({ format: "esm" });
  await build.close();
  const [entry] = output;
  const engine = createRequire(import.meta.url);
  return [
    [
      "/",
      {
        type: "text/html",
        body: `<!doctype html><link rel="icon" href="data:,"><script type="module" src="/${entry.fileName}"></script>`,
      },
    ],
    ...WASM.map((name) => {
      const body = readFileSync(engine.resolve(`onnxruntime-web/${name}`));
      return [`/${name}`, { type: "application/wasm", body }] as const;
    }),
    ...output.flatMap((file) =>
      file.type === "chunk"
        ? [[`/${file.fileName}`, { type: "text/javascript", body: file.code }] as const]
        : [],
    ),
  ] as const;
}

function expectClose(there: PlainWeights, here: PlainWeights): void {
  expect(there.map(([name]) => name)).toEqual(here.map(([name]) => name));
  const apart = there.flatMap(([, values], tensor) =>
    values.map((value, at) => Math.abs(value - (here[tensor]?.[1][at] ?? Number.NaN))),
  );
  expect(apart.length).toBeGreaterThan(1000);
  expect(Math.max(...apart)).toBeLessThan(1e-5);
}
