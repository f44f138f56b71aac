import { join } from "node:path";
import { Command, Option } from "commander";
import { machineBlockSize } from "../../runtime/node-session.ts";
import { writeFileAtomically } from "../../storage/atomic-file.ts";
import { benchAuditCommand } from "../bench/audit.ts";
import { benchCodec } from "../bench/codec.ts";
import { benchMethodsCommand } from "../bench/methods.ts";
import { benchStep } from "../bench/step.ts";
import { type CommonOptions, defineAction, parseCount, parseList, parseReal } from "../context.ts";
import { describeMachine } from "../machine.ts";
import { packageVersions } from "../package-versions.ts";

interface StepOptions extends CommonOptions {
  readonly models: readonly string[];
  readonly benchThreads: readonly number[];
  readonly batchSize: number;
  readonly steps: number;
  readonly python?: string;
}

/** `lethe bench`: measurements with the machine and the versions beside them. */
export function benchCommand(): Command {
  const bench = new Command("bench").description(
    "Measure speed, with the machine's limits and other engines beside it.",
  );
  const step = new Command("step")
    .description(
      "Training steps: milliseconds, images a second, share of the matrix product rate, peak memory; PyTorch and JAX beside them with --python.",
    )
    .addOption(
      new Option("--models <list>", "ready models, separated by spaces, or by commas where none has settings")
        .argParser(parseModels)
        .default(["mlp:128", "cnn-medium"], "mlp:128 cnn-medium"),
    )
    .addOption(
      new Option("--bench-threads <list>", "thread counts, separated by spaces")
        .argParser(parseList(parseCount))
        .default([1, 2], "1 2"),
    )
    .option("--batch-size <count>", "images in a step", parseCount, 64)
    .option("--steps <count>", "steps measured", parseCount, 100)
    .option("--python <path>", "a Python with PyTorch or JAX: measure them too, gradients compared first");
  defineAction<StepOptions>(step, "out/bench", async (options, context) => {
    const measured = await context.run(
      "Training steps",
      benchStep({
        models: options.models,
        threads: options.benchThreads,
        batchSize: options.batchSize,
        steps: options.steps,
        python: options.python,
        memory: true,
        runtime: context.runtime,
        signal: context.signal,
      }),
    );
    const { peers, ...rest } = measured;
    const { device = "cpu" } = context.runtime;
    const channelBlock = device === "cpu" ? await machineBlockSize() : undefined;
    const lowering = channelBlock === undefined ? "portable" : `convolutions in blocks of ${channelBlock}`;
    const document = {
      ...rest,
      device,
      lowering,
      machine: describeMachine({ ...packageVersions(), ...peers }),
    };
    writeFileAtomically(join(options.out, "step.json"), `${JSON.stringify(document, undefined, 2)}\n`);
    const line = (cells: readonly string[]): string =>
      cells.map((cell, index) => (index < 2 ? cell.padEnd(12) : cell.padStart(12))).join("");
    return {
      json: document,
      text: [
        line([
          "engine",
          "model",
          "threads",
          "ms/step",
          "images/s",
          "GFLOP/s",
          "of GEMM",
          "compile ms",
          "peak MiB",
        ]),
        ...measured.results.map((result) =>
          line([
            result.engine,
            result.model,
            String(result.threads),
            result.msPerStep.median.toFixed(2),
            result.imagesPerSecond.toFixed(0),
            result.gflopsPerSecond.toFixed(1),
            `${(100 * result.shareOfGemm).toFixed(0)} %`,
            result.compileMs.toFixed(0),
            ((result.memory?.peakBytes ?? 0) / 2 ** 20).toFixed(0),
          ]),
        ),
        ...measured.gemm.map(
          ({ threads, gflopsPerSecond }) =>
            `512³ product, ${threads} threads: ${gflopsPerSecond.toFixed(0)} GFLOP/s`,
        ),
        ...Object.entries(peers).map(([peer, version]) => `${peer}: ${version}`),
        `load average at the start: ${measured.loadAverage.toFixed(1)}`,
      ],
    };
  });
  return bench
    .addCommand(step)
    .addCommand(codecCommand())
    .addCommand(benchMethodsCommand())
    .addCommand(benchAuditCommand());
}

/** Settings hold commas: only a list without any may be separated by them. */
function parseModels(text: string): string[] {
  return parseList(String)(text.includes(":") ? text : text.replaceAll(",", " "));
}

interface CodecOptions extends CommonOptions {
  readonly history?: readonly string[];
  readonly synthetic: boolean;
  readonly rates?: readonly number[];
  readonly repetitions: number;
}

function codecCommand(): Command {
  const command = new Command("codec")
    .description(
      "Update codecs: bits, distortion against R(D), bias, MB/s each way; zstd and brotli beside them.",
    )
    .option("--history <files...>", "also measure the updates of histories, best stored with the codec none")
    .option("--no-synthetic", "leave out the Gaussian and the real-like source")
    .option("--rates <list>", "bits per parameter, separated by spaces", parseList(parseReal))
    .option("--repetitions <count>", "encodings and decodings timed", parseCount, 15);
  return defineAction<CodecOptions>(command, "out/bench", async (options, context) => {
    const results = await context.run(
      "Update codecs",
      benchCodec({
        seed: context.seed,
        repetitions: options.repetitions,
        signal: context.signal,
        ...(options.rates === undefined ? {} : { rates: options.rates }),
        ...(options.history === undefined ? {} : { historyPaths: options.history }),
        synthetic: options.synthetic,
      }),
    );
    const document = { results, machine: describeMachine(packageVersions()) };
    writeFileAtomically(join(options.out, "codec.json"), `${JSON.stringify(document, undefined, 2)}\n`);
    const cell = (value: number | undefined, digits: number): string =>
      (value === undefined ? "–" : value.toFixed(digits)).padStart(11);
    return {
      json: document,
      text: [
        `${"source".padEnd(14)}${"codec".padEnd(14)}${["bits", "dB", "above R(D)", "bias", "enc MB/s", "dec MB/s"].map((head) => head.padStart(11)).join("")}`,
        ...results.map(
          (row) =>
            `${row.source.padEnd(14)}${row.codec.padEnd(14)}${cell(row.bitsPerParameter, 3)}${cell(row.decibels, 2)}${cell(row.decibelsAboveBound, 2)}` +
            `${cell(row.biasRatio, 2)}${cell(row.encodeMegabytesPerSecond?.median, 0)}${cell(row.decodeMegabytesPerSecond?.median, 0)}`,
        ),
      ],
    };
  });
}
