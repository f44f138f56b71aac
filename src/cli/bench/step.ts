import { loadavg } from "node:os";
import { operators } from "../../autodiff/operators/index.ts";
import type { Progress } from "../../kernel/events.ts";
import { keyFromSeed } from "../../kernel/key.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import {
  type Architecture,
  batchShape,
  initialWeights,
  layoutOfArchitecture,
} from "../../models/architecture.ts";
import { denseFlops } from "../../onnx/flops.ts";
import { matmul } from "../../onnx/functions/index.ts";
import { Graph } from "../../onnx/graph.ts";
import { compileProgram, type RuntimeOptions } from "../../runtime/program.ts";
import { compileObjective } from "../../training/objective.ts";
import { supervised } from "../../training/step-graph.ts";
import { createTrainer } from "../../training/trainer.ts";
import { measureMemory, type StepMemory } from "./step-memory.ts";
import { PEERS, type Peer, runPeer } from "./step-peers.ts";
import { benchModel, type SampleBatch, sampleBatch } from "./step-sample.ts";

/** What to measure. */
export interface StepBenchOptions {
  readonly models: readonly string[];
  readonly threads: readonly number[];
  readonly batchSize: number;
  /** Steps measured of each, after a tenth as warm-up; more of short ones, as many as fit into half a second. */
  readonly steps: number;
  /** A Python that may have other frameworks; none is measured when left out. */
  readonly python?: string | undefined;
  /** Also measure Lethe's memory, in a further process for each model. */
  readonly memory?: boolean;
  readonly runtime?: RuntimeOptions;
  readonly signal?: AbortSignal;
}

/** One model at one thread count. */
export interface StepResult {
  readonly engine: "lethe" | Peer;
  readonly model: string;
  readonly threads: number;
  readonly batchSize: number;
  readonly parameters: number;
  readonly msPerStep: { readonly median: number; readonly minimum: number; readonly p90: number };
  /** From the architecture to a step that can be taken: Lethe's graph and its compilation; of a peer, its first step. */
  readonly compileMs: number;
  /** ‖g − g′‖/‖g′‖ over all gradients against Lethe's; of peers only. */
  readonly gradientError?: number;
  readonly imagesPerSecond: number;
  /** Dense work only: three times the forward pass, less the first layer's input gradient. */
  readonly gflopsPerSecond: number;
  /** Of a 512³ matrix product in the same run at the same thread count. */
  readonly shareOfGemm: number;
  /** Of a process that does nothing else. */
  readonly memory?: StepMemory;
}

/** Side of the square matrices whose product is taken as the machine's limit. */
const GEMM_SIDE = 512;
/** What a model is measured for at least, and the most steps that makes. */
const LEAST_MS = 500;
const MOST_STEPS = 1000;
/** Small enough that no model leaves the region it started in. */
const LEARNING_RATE = 0.01;

/**
 * Measures training steps beside the machine's matrix product rate, and beside other frameworks once their gradients have been
 * found equal.
 *
 * @throws LETHE_USAGE_PEER, LETHE_NUMERIC_PEER as {@link runPeer}
 */
export async function* benchStep(options: StepBenchOptions): Progress<{
  readonly results: readonly StepResult[];
  readonly gemm: readonly { threads: number; gflopsPerSecond: number }[];
  readonly peers: Readonly<Partial<Record<Peer, string>>>;
  /** Of the last minute, when the measurement began: figures of a busy machine say little. */
  readonly loadAverage: number;
}> {
  const [loadAverage = 0] = loadavg();
  const results: StepResult[] = [];
  const gemm: { threads: number; gflopsPerSecond: number }[] = [];
  const peers: Partial<Record<Peer, string>> = {};
  const of = options.threads.length * options.models.length;
  let done = 0;
  for (const threads of options.threads) {
    const runtime: RuntimeOptions = { ...options.runtime, threads };
    const limit = await gemmRate(runtime);
    gemm.push({ threads, gflopsPerSecond: limit });
    for (const model of options.models) {
      const architecture = benchModel(model);
      const weights = initialWeights(architecture, keyFromSeed(1));
      const batch = sampleBatch(architecture, options.batchSize);
      const flops = stepFlops(architecture, options.batchSize);
      const describe = (
        engine: StepResult["engine"],
        times: readonly number[],
        compileMs: number,
        memory: StepMemory | undefined,
      ): StepResult => {
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
          compileMs,
          imagesPerSecond: (1000 * options.batchSize) / at(0.5),
          gflopsPerSecond,
          shareOfGemm: gflopsPerSecond / limit,
          ...(memory && { memory }),
        };
      };
      const own = await stepTimes(architecture, weights, batch, options.steps, runtime);
      const { python, batchSize, signal } = options;
      const memory = options.memory ? await measureMemory(model, batchSize, threads, signal) : undefined;
      results.push(describe("lethe", own.times, own.compileMs, memory));
      const steps = own.times.length;
      if (python !== undefined) {
        const gradients = await gradientsOf(architecture, weights, batch, runtime);
        const job = {
          architecture,
          weights,
          gradients,
          batch,
          batchSize,
          threads,
          steps,
          learningRate: LEARNING_RATE,
        };
        for (const peer of Object.keys(PEERS) as Peer[]) {
          const run = await runPeer(peer, python, job, signal);
          peers[peer] = run?.version ?? "not installed";
          if (run === undefined) continue;
          const result = describe(peer, run.msPerStep, run.firstStepMs, {
            baseBytes: run.baseBytes,
            peakBytes: run.peakBytes,
          });
          results.push({ ...result, gradientError: run.gradientError });
        }
      }
      done += 1;
      yield { type: "step", step: done, of, scalars: { model, threads } };
    }
  }
  return { results, gemm, peers, loadAverage };
}

/** GFLOP/s of the best of repeated 512³ products. */
async function gemmRate(runtime: RuntimeOptions): Promise<number> {
  const graph = new Graph(operators);
  const a = graph.input("a", "float32", [GEMM_SIDE, GEMM_SIDE]);
  const b = graph.input("b", "float32", [GEMM_SIDE, GEMM_SIDE]);
  await using program = await compileProgram(
    { inputs: [a, b], outputs: new Map([["c", matmul(a, b)]]) },
    runtime,
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
  weights: ParameterSet,
  { features, labels }: SampleBatch,
  steps: number,
  runtime: RuntimeOptions,
): Promise<{ readonly times: readonly number[]; readonly compileMs: number }> {
  const begin = performance.now();
  await using trainer = await createTrainer(
    architecture,
    { id: "sgd", momentum: 0, weightDecay: 0 },
    runtime,
  );
  const compileMs = performance.now() - begin;
  let state = trainer.start(weights);
  const times: number[] = [];
  let count = Math.ceil(1.1 * steps);
  for (let step = 0; step < count; step++) {
    const start = performance.now();
    state = (await trainer.step(state, features, labels, LEARNING_RATE)).state;
    times.push(performance.now() - start);
    if (step === 1) count = Math.max(count, Math.min(MOST_STEPS, Math.ceil(LEAST_MS / (times[1] as number))));
  }
  return { times: times.slice(Math.ceil(count / 11)), compileMs };
}

async function gradientsOf(
  architecture: Architecture,
  weights: ParameterSet,
  { features, labels }: SampleBatch,
  runtime: RuntimeOptions,
): Promise<ParameterSet> {
  const options = { objective: supervised("cross-entropy"), gradients: true };
  await using objective = await compileObjective(architecture, options, runtime);
  return (await objective.evaluate(weights, { [architecture.inputName]: features, labels })).gradients;
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
  const unasked = architecture.inputType === "float32" ? dense.slice(0, 1) : [];
  return 3 * denseFlops(dense, batch) - denseFlops(unasked, batch);
}
