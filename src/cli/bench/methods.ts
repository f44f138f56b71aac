import { join } from "node:path";
import { Command } from "commander";
import { loadDataset } from "../../data/index.ts";
import { divideDataset } from "../../data/parts.ts";
import type { ComparisonResult, ComparisonRow } from "../../planning/comparison/case.ts";
import { compareMethods } from "../../planning/comparison/compare-methods.ts";
import { comparisonReport } from "../../report/comparison-report.ts";
import { writeFileAtomically } from "../../storage/atomic-file.ts";
import { type CommonOptions, defineAction, parseCount, parseList } from "../context.ts";
import { DATA_HELP } from "../data-argument.ts";
import { describeMachine } from "../machine.ts";
import { chooseModel, MODEL_HELP, modelSourceOf } from "../model-argument.ts";
import { packageVersions } from "../package-versions.ts";
import { addTrainOptions, readTrainSettings, type TrainFlags } from "../train-settings.ts";
import { centralScope, openRequest } from "../training-run.ts";

interface MethodsOptions extends CommonOptions, TrainFlags {
  readonly data: string;
  readonly model: string;
  readonly forget: string;
  readonly samples?: number;
  readonly validation: number;
  readonly seeds: number;
  readonly trials: number;
  readonly references: number;
  readonly store: string;
  readonly workers?: number;
  readonly methods?: readonly string[];
}

/** `lethe bench methods`: every method on one request, compared with retraining. */
export function benchMethodsCommand(): Command {
  const command = new Command("methods")
    .description(
      "Run every method that can serve a request on freshly trained models and compare it with retraining.",
    )
    .requiredOption("--data <dataset>", DATA_HELP)
    .option("--model <model>", MODEL_HELP, "mlp")
    .requiredOption("--forget <request>", "as of `lethe unlearn`: class:3, random:0.1, subject:ID, …")
    .option("--samples <count>", "train on about this many samples (default: all)", parseCount)
    .option("--validation <share>", "share held out for tuning and stopping rules", Number, 0.1)
    .option("--seeds <count>", "models trained, each with its own retrained ones", parseCount, 3)
    .option("--trials <count>", "settings each method may try on validation data", parseCount, 5)
    .option("--references <count>", "models retrained besides one a seed, for KLoM", parseCount, 3)
    .option("--store <directory>", "where trained models and finished cells are kept", ".lethe/models")
    .option("--workers <count>", "models trained at the same time (default: one a core)", parseCount)
    .option("--methods <list>", "ids separated by spaces (default: all that can serve)", parseList(String));
  addTrainOptions(command).addHelpText(
    "after",
    "\nExample:\n  lethe bench methods --data mnist --model cnn --samples 10000 --forget class:3 --out out/comparison",
  );
  return defineAction<MethodsOptions>(command, "out/comparison", async (options, context) => {
    const settings = readTrainSettings(options, "lethe bench methods");
    const dataset = await loadDataset(options.data);
    const parts = divideDataset(dataset, options);
    // Before anything is trained: a model that does not fit the data is refused here.
    chooseModel(options.model, dataset);
    const request = openRequest({ run: { requests: [] }, parts }, options.forget, context.seed);
    const versions = packageVersions();
    const started = performance.now();
    const result = await context.run(
      `Comparing methods on ${dataset.title}, ${options.forget}`,
      compareMethods({
        parts,
        model: modelSourceOf(options.model, dataset),
        recipe: settings,
        scope: centralScope(request.scope),
        forgetClasses: request.classes,
        forget: Uint32Array.from(request.forget),
        retain: Uint32Array.from(request.retain),
        methods: options.methods,
        seeds: options.seeds,
        trials: options.trials,
        references: options.references,
        seed: context.seed,
        farm: { store: options.store, workers: options.workers, signal: context.signal },
        versions,
      }),
    );
    const { data, model, forget, seeds, trials, references, validation, samples } = options;
    const document = {
      case: {
        data,
        model,
        forget,
        samples,
        validation,
        seeds,
        trials,
        references,
        settings,
        seed: context.seed,
      },
      counts: { forget: request.forget.length, retain: request.retain.length },
      seconds: (performance.now() - started) / 1000,
      results: result.rows,
      failures: result.failures,
      references: result.references,
      klom: result.klom,
      machine: describeMachine(versions),
    };
    writeFileAtomically(join(options.out, "comparison.json"), `${JSON.stringify(document, undefined, 2)}\n`);
    writeFileAtomically(join(options.out, "comparison.html"), comparisonReport(document));
    return {
      json: document,
      text: [...tableOf(result), `written    ${join(options.out, "comparison.html")}`],
    };
  });
}

/** Means over seeds, best gap first. */
function tableOf({ rows, references, failures, klom }: ComparisonResult): string[] {
  const line = (name: string, cells: readonly string[]): string =>
    name.padEnd(30) + cells.map((cell) => cell.padStart(8)).join("");
  const cells = (list: readonly Pick<ComparisonRow, "figures">[]): string[] =>
    (["ua", "ra", "ta", "mia", "gap", "tow", "kl"] as const).map((name) =>
      (list.reduce((sum, { figures }) => sum + figures[name], 0) / list.length).toFixed(3),
    );
  const ids = [...new Set(rows.map(({ method }) => method))];
  const lines = ids.map((id) => {
    const own = rows.filter(({ method }) => method === id);
    const mean = (read: (row: ComparisonRow) => number): number =>
      own.reduce((sum, row) => sum + read(row), 0) / own.length;
    return {
      gap: mean(({ figures }) => figures.gap),
      text: line(id, [
        ...cells(own),
        (klom[id]?.mean ?? Number.NaN).toFixed(2),
        `${(100 * mean(({ timeShare }) => timeShare)).toFixed(0)} %`,
        `${(100 * mean(({ gradientShare }) => gradientShare)).toFixed(0)} %`,
      ]),
    };
  });
  const reference = (name: string, role: "original" | "retrained"): string =>
    line(name, cells(references.map((entry) => ({ figures: entry[role] }))));
  return [
    line("method", ["UA", "RA", "TA", "MIA", "gap", "ToW", "KL", "KLoM", "time", "grads"]),
    reference("(trained)", "original"),
    reference("(retrained)", "retrained"),
    ...lines.sort((a, b) => a.gap - b.gap).map(({ text }) => text),
    ...failures.map(({ method, message }) => `${method}: ${message}`),
  ];
}
