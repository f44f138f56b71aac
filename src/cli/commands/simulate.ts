import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { z } from "zod";
import { loadDataset } from "../../data/index.ts";
import {
  type SimulationConfig,
  type SimulationInput,
  simulationSchema,
} from "../../federation/simulation/config.ts";
import { type SimulationOutcome, simulate } from "../../federation/simulation/simulate.ts";
import { unlearningRules } from "../../federation/unlearning/index.ts";
import { LetheError } from "../../kernel/errors.ts";
import { unflatten } from "../../kernel/parameters.ts";
import { writeClassifier } from "../../models/onnx-model.ts";
import { writeFileAtomically } from "../../storage/atomic-file.ts";
import type { ClientKeys } from "../../storage/encryption/client-keys.ts";
import { CODEC_HELP, formatCodec, parseCodec } from "../codec-argument.ts";
import {
  type CommandContext,
  type CommandResult,
  type CommonOptions,
  defineAction,
  parseCount,
  parseList,
  parseReal,
  parseSettings,
} from "../context.ts";
import { DATA_HELP } from "../data-argument.ts";
import { addKeyOptions, type KeyOptions, keyringForWriting } from "../keys-argument.ts";
import { describeMachine } from "../machine.ts";
import { MODE_HELP, parseMode } from "../mode-argument.ts";
import { chooseModel, MODEL_HELP } from "../model-argument.ts";
import { packageVersions } from "../package-versions.ts";
import { openRunHistory } from "../run-history.ts";
import { parseSetting } from "../setting-argument.ts";
import { simulationDocument } from "../simulation-document.ts";
import { simulationReportData } from "../simulation-report-data.ts";
import { simulationText } from "../simulation-text.ts";

interface SimulateOptions extends CommonOptions, KeyOptions {
  readonly config?: string;
  readonly explain?: boolean;
  readonly data?: string;
  readonly model?: string;
  readonly clients?: number;
  readonly samplesPerClient?: number;
  readonly rounds?: number;
  readonly partition?: string;
  readonly sizes?: string;
  readonly localEpochs?: number;
  readonly batchSize?: number;
  readonly learningRate?: number;
  readonly optimizer?: string;
  readonly momentum?: number;
  readonly participation?: number;
  readonly serverMomentum?: number;
  readonly serverRate?: number;
  readonly attack?: string;
  readonly attackers?: readonly number[];
  readonly boost?: number;
  readonly trigger?: string;
  readonly leaverWeight?: number;
  readonly codec?: SimulationConfig["codec"];
  readonly historyMode?: SimulationConfig["historyMode"];
  readonly historyBudget?: number;
  readonly scope?: string;
  readonly codecCurve?: readonly SimulationConfig["codec"][];
  readonly unlearn?: readonly number[];
  readonly method?: string;
  readonly set?: Readonly<Record<string, unknown>>;
  readonly repair?: boolean;
  readonly retrain?: boolean;
}

/** `lethe simulate`: a federated run, unlearning, and its audit in one process. */
export function simulateCommand(): Command {
  const defaults = simulationSchema.parse({});
  const command = new Command("simulate")
    .description(
      "Train a federated model with a compressed history, unlearn clients from it, and compare with retraining.",
    )
    .option("--config <file>", "settings as JSON; flags win over it")
    .option("--explain", "print the settings in force and where each comes from, and stop")
    .option("--data <dataset>", `${DATA_HELP} (default: ${defaults.data})`)
    .option("--model <model>", `${MODEL_HELP} (default: ${defaults.model})`)
    .option("--clients <count>", `clients of the federation (default: ${defaults.clients})`, parseCount)
    .option("--samples-per-client <count>", "mean samples of a client", parseCount)
    .option("--rounds <count>", `rounds of federated averaging (default: ${defaults.rounds})`, parseCount)
    .option(
      "--partition <how>",
      `iid, dirichlet:ALPHA, exclusive: client 0 alone holds the last class, or group:ATTRIBUTE: clients are its values (default: ${defaults.partition})`,
    )
    .option("--sizes <how>", "equal, or spread:F for clients up to F times apart")
    .option(
      "--local-epochs <count>",
      `passes over a client's data in a round (default: ${defaults.local.epochs})`,
      parseCount,
    )
    .option(
      "--batch-size <count>",
      `samples in a local step (default: ${defaults.local.batchSize})`,
      parseCount,
    )
    .option("--learning-rate <rate>", `of the clients (default: ${defaults.local.learningRate})`, parseReal)
    .option("--optimizer <id>", "of the clients: sgd, adam or adamw")
    .option("--momentum <share>", "of the clients' sgd", parseReal)
    .option(
      "--participation <share>",
      `share of the clients in a round (default: ${defaults.participation})`,
      parseReal,
    )
    .option("--server-momentum <share>", "of the server", parseReal)
    .option("--server-rate <rate>", "of the server", parseReal)
    .option("--attack <id>", `none, backdoor or labelflip (default: ${defaults.attack.id})`)
    .option("--attackers <clients>", "clients that attack, 0,1,…", parseClients)
    .option("--boost <factor>", "on an attacker's update", parseReal)
    .option("--trigger <kind>", "of a backdoor: corner, center or subspace")
    .option("--leaver-weight <factor>", "on the leavers' weight in the mean", parseReal)
    .option("--codec <codec>", `${CODEC_HELP} (default: ${formatCodec(defaults.codec)})`, parseCodec)
    .option("--history-mode <mode>", `${MODE_HELP} (default: full)`, parseMode)
    .option("--history-budget <bytes>", "size of the whole history; the rate follows it", parseCount)
    .option("--codec-curve <codecs>", "further codecs to compare, separated by spaces", parseList(parseCodec))
    .option(
      "--unlearn <client:I[,J]>",
      `clients to forget (default: client:${defaults.unlearn.clients})`,
      parseLeavers,
    )
    .option(
      "--method <id>",
      `${Object.keys(unlearningRules).join(", ")} (default: ${defaults.unlearn.method})`,
    )
    .option("--set <name=value...>", "a setting of the method", parseSetting)
    .option("--scope <scope>", "of unlearning: everything, or the rounds in the history's window")
    .option("--repair", "let all kept clients run one short round afterwards")
    .option("--no-retrain", "skip the references: no verdict then")
    .addHelpText(
      "after",
      "\nExample:\n  lethe simulate --data fashion-mnist --attack backdoor --boost 10 --unlearn client:0 --out out/fashion",
    );
  addKeyOptions(command, "to encrypt the history with; made where there is none");
  return defineAction<SimulateOptions>(command, "out/simulate", async (options, context) => {
    const flags = settingsOf(options);
    const file = options.config === undefined ? {} : readSettings(options.config);
    const config = parseSettings(simulationSchema, merge(file, flags), "lethe simulate");
    if (options.explain) return explain(config, file, flags);
    const commandLine = `lethe simulate ${process.argv.slice(3).join(" ")}`;
    return runSimulation(config, options.out, context, commandLine, keyringForWriting(options));
  });
}

/** Runs a simulation and writes `result.json`, `report.html`, the history and the unlearned model into a folder. */
export async function runSimulation(
  config: SimulationConfig,
  out: string,
  context: CommandContext,
  commandLine: string,
  keys?: ClientKeys,
): Promise<CommandResult> {
  const dataset = await loadDataset(config.data);
  const architecture = chooseModel(config.model, dataset);
  const outcome: SimulationOutcome = await context.run(
    `${config.clients} clients, ${config.rounds} rounds: ${architecture.id} on ${dataset.title}`,
    simulate(config, {
      dataset,
      architecture,
      runtime: context.runtime,
      openHistory: (name, header) =>
        openRunHistory(join(out, name === "main" ? "history.db" : `history-${name}.db`), header, keys),
      stopwatch: stopwatchAt(join(out, "seconds.json")),
      signal: context.signal,
    }),
  );
  const document = simulationDocument(config, outcome, describeMachine(packageVersions()));
  const report = join(out, "report.html");
  // The plot library takes a third of a second to load, which other commands need not wait for.
  const { renderSimulationReport } = await import("../../report/simulation-report.ts");
  const data = await simulationReportData(config, outcome, document, { dataset, command: commandLine });
  writeFileAtomically(report, renderSimulationReport(data));
  writeFileAtomically(join(out, "result.json"), `${JSON.stringify(document, undefined, 2)}\n`);
  const weights = unflatten(outcome.layout, outcome.unlearned.weights);
  writeFileAtomically(
    join(out, "model.onnx"),
    writeClassifier(architecture, weights, { digest: outcome.unlearned.digest }),
  );
  return { json: { ...document, report }, text: [...simulationText(document), "", `report     ${report}`] };
}

/** Seconds of training in a small file beside the history. */
function stopwatchAt(path: string): { read(): number; write(seconds: number): void } {
  return {
    read: () => (existsSync(path) ? z.number().parse(JSON.parse(readFileSync(path, "utf8"))) : 0),
    write: (seconds) => writeFileAtomically(path, String(seconds)),
  };
}

/** What the flags say, in the form of the configuration; what they leave out is absent. */
function settingsOf(options: SimulateOptions): SimulationInput {
  const { momentum, optimizer = "sgd" } = options;
  const givesOptimizer = momentum !== undefined || options.optimizer !== undefined;
  const settings = {
    data: options.data,
    model: options.model,
    clients: options.clients,
    samplesPerClient: options.samplesPerClient,
    rounds: options.rounds,
    partition: options.partition,
    sizes: options.sizes,
    local: {
      epochs: options.localEpochs,
      batchSize: options.batchSize,
      learningRate: options.learningRate,
      optimizer: givesOptimizer ? { id: optimizer, momentum } : undefined,
    },
    participation: options.participation,
    server: { momentum: options.serverMomentum, rate: options.serverRate },
    attack: { id: options.attack, settings: { boost: options.boost, trigger: options.trigger } },
    attackers: options.attackers,
    leaverWeight: options.leaverWeight,
    codec: options.codec,
    historyMode: options.historyMode,
    encryptHistory: options.keys === undefined ? undefined : true,
    historyBudgetBytes: options.historyBudget,
    codecCurve: options.codecCurve,
    unlearn: {
      clients: options.unlearn,
      method: options.method,
      settings: options.set,
      scope: options.scope,
      help: options.repair ? "repair-round" : undefined,
    },
    references: { retrain: options.retrain === false ? false : undefined },
    seed: options.seed,
  };
  return withoutUndefined(settings) as SimulationInput;
}

function explain(config: SimulationConfig, file: unknown, flags: unknown): CommandResult {
  const lines = leaves(config).map(([path, value]) => {
    const source = hasPath(flags, path) ? "flag" : hasPath(file, path) ? "file" : "default";
    return { setting: path.join("."), value, source };
  });
  const width = Math.max(...lines.map(({ setting }) => setting.length));
  return {
    json: lines,
    text: lines.map(
      ({ setting, value, source }) => `${setting.padEnd(width)}  ${JSON.stringify(value)}  (${source})`,
    ),
  };
}

function readSettings(path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (isRecord(value)) return value;
  } catch (cause) {
    throw new LetheError("usage", "USAGE_CONFIG_FILE", `Expected a readable JSON file at ${path}.`, {
      cause,
    });
  }
  throw new LetheError("usage", "USAGE_CONFIG_FILE", `Expected a JSON object in ${path}.`);
}

function parseClients(text: string): number[] {
  return text.split(",").map((part) => {
    if (/^\d+$/.test(part)) return Number(part);
    throw new LetheError(
      "usage",
      "USAGE_CLIENTS",
      `Expected clients such as client:0 or client:0,3, got \`${text}\`.`,
    );
  });
}

function parseLeavers(text: string): number[] {
  return parseClients(text.replace(/^client:/, ""));
}

/** `over` laid over `base`, object by object. */
function merge(base: unknown, over: unknown): unknown {
  if (!isRecord(base) || !isRecord(over)) return over === undefined ? base : over;
  const names = new Set([...Object.keys(base), ...Object.keys(over)]);
  return Object.fromEntries([...names].map((name) => [name, merge(base[name], over[name])]));
}

function withoutUndefined(value: unknown): unknown {
  if (!isRecord(value)) return value;
  const entries = Object.entries(value)
    .map(([name, member]) => [name, withoutUndefined(member)] as const)
    .filter(([, member]) => member !== undefined && !(isRecord(member) && Object.keys(member).length === 0));
  return Object.fromEntries(entries);
}

function leaves(value: unknown, path: readonly string[] = []): [readonly string[], unknown][] {
  if (!isRecord(value)) return [[path, value]];
  return Object.entries(value).flatMap(([name, member]) => leaves(member, [...path, name]));
}

function hasPath(value: unknown, path: readonly string[]): boolean {
  if (path.length === 0) return value !== undefined;
  const [first = "", ...rest] = path;
  return isRecord(value) && hasPath(value[first], rest);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
