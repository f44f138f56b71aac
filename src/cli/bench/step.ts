import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { operators } from "../../autodiff/operators/index.ts";
import type { Progress } from "../../kernel/events.ts";
import { keyFromSeed, randomStream } from "../../kernel/key.ts";
import { sizeOf } from "../../kernel/layout.ts";
import {
  type Architecture,
  batchShape,
  initialWeights,
  layoutOfArchitecture,
} from "../../models/architecture.ts";
import { createModel } from "../../models/index.ts";
import { denseFlops } from "../../onnx/flops.ts";
import { matmul } from "../../onnx/functions/index.ts";
import { Graph } from "../../onnx/graph.ts";
import { compileProgram } from "../../runtime/program.ts";
import { createTrainer } from "../../training/trainer.ts";

/** What to measure. */
export interface StepBenchOptions {
  readonly models: readonly string[];
  readonly threads: readonly number[];
  readonly batchSize: number;
  /** Steps measured of each, after a tenth as warm-up. */
  readonly steps: number;
}

/** One model at one thread count. */
export interface StepResult {
  readonly engine: "lethe" | "pytorch";
  readonly model: string;
  readonly threads: number;
  readonly batchSize: number;
  readonly parameters: number;
  readonly msPerStep: { readonly median: number; readonly minimum: number; readonly p90: number };
  readonly imagesPerSecond: number;
  /** Dense work only: three times the forward pass, less the first layer's input gradient. */
  readonly gflopsPerSecond: number;
  /** Of a 512³ matrix product in the same run at the same thread count. */
  readonly shareOfGemm: number;
}

const IMAGE = { inputShape: [1, 28, 28], classes: 10 } as const;
/** Side of the square matrices whose product is taken as the machine's limit. */
const GEMM_SIDE = 512;

/** Where a Python with PyTorch may be: the user's first, then the system's. */
const PYTHONS = ["python3", "/usr/bin/python3"];

const torchSchema = z.object({ msPerStep: z.array(z.number().positive()).min(1), version: z.string() });

/** Measures training steps beside the machine's matrix product rate, and PyTorch where it is installed. */
export async function* benchStep(options: StepBenchOptions): Progress<{
  readonly results: readonly StepResult[];
  readonly gemm: readonly { threads: number; gflopsPerSecond: number }[];
  readonly pytorch: string;
}> {
  const results: StepResult[] = [];
  const gemm: { threads: number; gflopsPerSecond: number }[] = [];
  let pytorch = "not installed";
  const of = options.threads.length * options.models.length;
  for (const threads of options.threads) {
    const limit = await gemmRate(threads);
    gemm.push({ threads, gflopsPerSecond: limit });
    for (const model of options.models) {
      const architecture = createModel(model, IMAGE);
      const flops = stepFlops(architecture, options.batchSize);
      const describe = (engine: StepResult["engine"], times: readonly number[]): StepResult => {
        const sorted = [...times].sort((a, b) => a - b);
        const at = (share: number): number =>
          sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number;
        const gflopsPerSecond = flops / at(0.5) / 1e6;
        return {
          engine,
          model,
          threads,
          batchSize: options.batchSize,
          parameters: layoutOfArchitecture(architecture).parameterLength,
          msPerStep: { median: at(0.5), minimum: at(0), p90: at(0.9) },
          imagesPerSecond: (1000 * options.batchSize) / at(0.5),
          gflopsPerSecond,
          shareOfGemm: gflopsPerSecond / limit,
        };
      };
      results.push(describe("lethe", await stepTimes(architecture, threads, options)));
      const torch = torchTimes(model, threads, options);
      if (torch !== undefined) {
        pytorch = torch.version;
        results.push(describe("pytorch", torch.msPerStep));
      }
      yield { type: "step", step: results.length, of, scalars: { model, threads } };
    }
  }
  return { results, gemm, pytorch };
}

/** GFLOP/s of the best of repeated 512³ products. */
async function gemmRate(threads: number): Promise<number> {
  const graph = new Graph(operators);
  const a = graph.input("a", "float32", [GEMM_SIDE, GEMM_SIDE]);
  const b = graph.input("b", "float32", [GEMM_SIDE, GEMM_SIDE]);
  await using program = await compileProgram(
    { inputs: [a, b], outputs: new Map([["c", matmul(a, b)]]) },
    { threads },
  );
  const operand = new Float32Array(GEMM_SIDE * GEMM_SIDE).fill(0.5);
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 60; run++) {
    const start = performance.now();
    await program.run({ a: operand, b: operand });
    best = Math.min(best, performance.now() - start);
  }
  return (2 * GEMM_SIDE ** 3) / best / 1e6;
}

async function stepTimes(
  architecture: Architecture,
  threads: number,
  options: StepBenchOptions,
): Promise<number[]> {
  await using trainer = await createTrainer(
    architecture,
    { id: "sgd", momentum: 0, weightDecay: 0 },
    { threads },
  );
  const stream = randomStream(keyFromSeed(1));
  const length = options.batchSize * sizeOf(architecture.inputShape);
  const features = Float32Array.from({ length }, () => stream.uniform());
  const labels = BigInt64Array.from({ length: options.batchSize }, () =>
    BigInt(stream.below(architecture.classes)),
  );
  let state = trainer.start(initialWeights(architecture, keyFromSeed(1)));
  const times: number[] = [];
  const warmUp = Math.ceil(options.steps / 10);
  for (let step = 0; step < warmUp + options.steps; step++) {
    const start = performance.now();
    state = (await trainer.step(state, features, labels, 0.01)).state;
    if (step >= warmUp) times.push(performance.now() - start);
  }
  return times;
}

/** Forward work three times over, less the gradient of the data, which nobody asks for. */
function stepFlops(architecture: Architecture, batch: number): number {
  const graph = new Graph(operators);
  const input = graph.input("input", architecture.inputType, batchShape(architecture));
  const weights = new Map(
    architecture.weights.map(({ name, shape }) => [name, graph.input(name, "float32", shape)] as const),
  );
  architecture.forward(input, (name) => weights.get(name) as never, "inference");
  const dense = graph.nodes.filter((node) => denseFlops([node], batch) > 0);
  return 3 * denseFlops(dense, batch) - denseFlops(dense.slice(0, 1), batch);
}

/** The same steps in PyTorch, in a process of its own; `undefined` where it is not installed or the model has no twin. */
function torchTimes(model: string, threads: number, options: StepBenchOptions) {
  const script = join(import.meta.dirname, "../../../bench/torch-step.py");
  if (!existsSync(script)) return undefined;
  const args = [script, model, String(threads), String(options.batchSize), String(options.steps)];
  for (const python of PYTHONS) {
    const run = spawnSync(python, args, { encoding: "utf8", timeout: 300_000 });
    const parsed = run.status === 0 ? torchSchema.safeParse(JSON.parse(run.stdout)) : undefined;
    if (parsed?.success) return parsed.data;
  }
  return undefined;
}
