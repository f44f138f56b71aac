import { join } from "node:path";
import { Command, Option } from "commander";
import { writeFileAtomically } from "../../storage/atomic-file.ts";
import { benchStep } from "../bench/step.ts";
import { type CommonOptions, defineAction, parseCount } from "../context.ts";
import { describeMachine } from "../machine.ts";
import { packageVersions } from "../package-versions.ts";

interface StepOptions extends CommonOptions {
  readonly models: string;
  readonly benchThreads: string;
  readonly batchSize: number;
  readonly steps: number;
}

/** `lethe bench`: measurements with the machine and the versions beside them. */
export function benchCommand(): Command {
  const bench = new Command("bench").description(
    "Measure speed, with the machine's limits and other engines beside it.",
  );
  const step = new Command("step")
    .description(
      "Training steps: milliseconds, images a second, share of the matrix product rate; PyTorch where installed.",
    )
    .option("--models <list>", "ready models, separated by spaces", "mlp:128 cnn-medium")
    .addOption(new Option("--bench-threads <list>", "thread counts, separated by spaces").default("1 2"))
    .option("--batch-size <count>", "images in a step", parseCount, 64)
    .option("--steps <count>", "steps measured", parseCount, 100);
  defineAction<StepOptions>(step, "out/bench", async (options, context) => {
    const measured = await context.run(
      "Training steps",
      benchStep({
        models: options.models.split(/\s+/),
        threads: options.benchThreads.split(/\s+/).map(parseCount),
        batchSize: options.batchSize,
        steps: options.steps,
      }),
    );
    const { pytorch, ...rest } = measured;
    const document = { ...rest, machine: describeMachine({ ...packageVersions(), pytorch }) };
    writeFileAtomically(join(options.out, "step.json"), `${JSON.stringify(document, undefined, 2)}\n`);
    const line = (cells: readonly string[]): string =>
      cells.map((cell, index) => (index < 2 ? cell.padEnd(12) : cell.padStart(12))).join("");
    return {
      json: document,
      text: [
        line(["engine", "model", "threads", "ms/step", "images/s", "GFLOP/s", "of GEMM"]),
        ...measured.results.map((result) =>
          line([
            result.engine,
            result.model,
            String(result.threads),
            result.msPerStep.median.toFixed(2),
            result.imagesPerSecond.toFixed(0),
            result.gflopsPerSecond.toFixed(1),
            `${(100 * result.shareOfGemm).toFixed(0)} %`,
          ]),
        ),
        ...measured.gemm.map(
          ({ threads, gflopsPerSecond }) =>
            `512³ product, ${threads} threads: ${gflopsPerSecond.toFixed(0)} GFLOP/s`,
        ),
      ],
    };
  });
  return bench.addCommand(step);
}
