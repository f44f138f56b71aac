import { Command, InvalidArgumentError } from "commander";
import { loadParts } from "../../data/load-parts.ts";
import { type HistoryOperation, historyOperations } from "../../history/retention.ts";
import { LetheError } from "../../kernel/errors.ts";
import { methods } from "../../methods/index.ts";
import { chooseHistory } from "../../planning/choose-history.ts";
import { planRequest } from "../../planning/plan-request.ts";
import { readTrainingRun } from "../../storage/training-run.ts";
import { preparedMethods, trainingSeconds } from "../audit-facts.ts";
import {
  type CommandContext,
  type CommandResult,
  type CommonOptions,
  defineAction,
  parseCount,
  parseReal,
} from "../context.ts";
import { formatMode } from "../mode-argument.ts";
import { withoutNames } from "../shown-request.ts";
import { centralScope, openRequest } from "../training-run.ts";

interface PlanOptions extends CommonOptions {
  readonly forget?: string;
  readonly atMost: number;
  readonly rounds?: number;
  readonly clients?: number;
  readonly parameters?: number;
  readonly budget?: number;
  readonly updatesPerRound?: number;
  readonly wants: readonly HistoryOperation[];
  readonly alpha: number;
}

/** α where sums are planned and nobody says: the value of demonstrations. */
const ALPHA = -0.15;

/** Seconds that unlearning may take unless asked otherwise: as long as one waits for an answer. */
const MOST_SECONDS = 600;

/** `lethe plan`: which method answers a request, or which history to keep of a federated training that has not begun. */
export function planCommand(): Command {
  const names = Object.keys(historyOperations).join(", ");
  const command = new Command("plan")
    .description(
      "Choose the method for a request on a trained model: every one that can serve it, with predicted cost, guarantee and what it lacks. Or, without a directory, what to keep of a federated training, for a budget and the operations it has to allow.",
    )
    .argument("[directory]", "what `lethe train` or `lethe unlearn` wrote")
    .option("--forget <request>", "as of `lethe unlearn`: class:3, random:0.1, subject:ID, …")
    .option("--at-most <seconds>", "how long unlearning may take", parseCount, MOST_SECONDS)
    .option("--history", "plan the history (without a directory there is nothing else to plan)")
    .option("--rounds <count>", "rounds of the training", parseCount)
    .option("--clients <count>", "clients of the federation", parseCount)
    .option("--parameters <count>", "parameters and buffers of the model", parseCount)
    .option("--budget <bytes>", "bytes on disk after the last round, such as 20000000", parseCount)
    .option("--updates-per-round <count>", "clients that take part in a round (default: all)", parseCount)
    .option(
      "--wants <operations>",
      `what has to stay possible, separated by commas: ${names}`,
      parseWants,
      [],
    )
    .option("--alpha <skew>", "discount of sums, should it come to them", parseReal, ALPHA);
  command.addHelpText(
    "after",
    "\nExamples:\n  lethe plan out/cnn --forget class:3\n  lethe plan --rounds 100 --clients 20 --parameters 100000 --budget 20000000",
  );
  return defineAction<PlanOptions>(command, "out", async (options, context, [directory]) => {
    if (directory !== undefined) return planUnlearning(directory, options, context);
    const { wants, alpha, updatesPerRound } = options;
    const { rounds, clients, parameters, budget } = historyFacts(options);
    const size = {
      rounds,
      clients,
      parameters,
      ...(updatesPerRound === undefined ? {} : { updatesPerRound }),
    };
    const plan = chooseHistory(size, budget, wants, alpha);
    const mode = formatMode(plan.retention);
    const codec = plan.codec && codecText(plan.codec);
    const flags = [`--history-mode ${mode}`, ...(codec === undefined ? [] : [`--codec ${codec}`])].join(" ");
    return {
      json: { mode, codec, flags, predictedBytes: plan.predictedBytes, operations: plan.operations },
      text: [
        `mode       ${mode}`,
        `codec      ${codec ?? "none needed: no records are kept"}`,
        `bytes      ${plan.predictedBytes} predicted, of ${budget}`,
        `flags      ${flags}`,
        "",
        ...Object.entries(plan.operations).map(
          ([operation, answer]) =>
            `${answer === true ? "✓" : "✗"} ${operation}${answer === true ? "" : `: ${answer}`}`,
        ),
      ],
    };
  });
}

async function planUnlearning(
  directory: string,
  { forget, atMost }: PlanOptions,
  { seed }: CommandContext,
): Promise<CommandResult> {
  if (forget === undefined) {
    throw new LetheError(
      "usage",
      "USAGE_FORGET",
      "Expected a request to plan for, such as --forget class:3, got none.",
    );
  }
  const run = readTrainingRun(directory);
  const { parts } = await loadParts(run);
  const request = openRequest({ run, parts }, forget, seed);
  const counts = {
    forget: request.forget.length,
    retain: request.retain.length,
    validation: parts.validation.count,
  };
  const plan = planRequest(Object.values(methods), {
    scope: centralScope(request.scope),
    counts,
    isSharded: run.sisa !== undefined,
    recipe: run.settings,
    trainingSeconds: trainingSeconds(directory),
    prepared: preparedMethods(directory),
    mostSeconds: atMost,
  });
  const { candidates, choice, why } = plan;
  const width = Math.max(...candidates.map(({ id }) => id.length));
  return {
    json: { forget: withoutNames(forget), scope: request.scope, counts, ...plan },
    text: [
      `request    ${withoutNames(forget)}: ${counts.forget} samples, ${counts.retain} are retained`,
      `choice     ${choice}`,
      `why        ${why}`,
      "",
      `${"method".padEnd(width)}  of retraining      time  measured gap  lacks`,
      ...candidates.map(({ id, cost, measuredGap, lacks }) => {
        const share = `${(100 * cost.share).toFixed(1)} %${cost.basis === "schedule" ? " ?" : "  "}`;
        const seconds = cost.seconds === undefined ? "–" : `${cost.seconds.toFixed(1)} s`;
        const gap = measuredGap === undefined ? "–" : measuredGap.toFixed(1);
        return `${id.padEnd(width)}  ${share.padStart(13)}${seconds.padStart(10)}${gap.padStart(14)}  ${lacks.join("; ")}`;
      }),
      "",
      "? is a guess from the method’s epochs and the samples it reads; the others were measured in committed comparisons.",
    ],
  };
}

/** @throws LETHE_USAGE_PLAN for what is missing */
function historyFacts({ rounds, clients, parameters, budget }: PlanOptions) {
  if (rounds !== undefined && clients !== undefined && parameters !== undefined && budget !== undefined) {
    return { rounds, clients, parameters, budget };
  }
  const missing = Object.entries({ rounds, clients, parameters, budget }).flatMap(([name, value]) =>
    value === undefined ? [`--${name}`] : [],
  );
  throw new LetheError(
    "usage",
    "USAGE_PLAN",
    `Expected the directory of a model with --forget, or a federated training to plan the history of; of that ${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} missing.`,
  );
}

function codecText({ quantiser, bitsPerParameter }: { quantiser: string; bitsPerParameter: number }): string {
  // Rounded down: what fits stays so.
  return quantiser === "none" ? quantiser : `${quantiser}:${Math.floor(bitsPerParameter * 1000) / 1000}`;
}

function parseWants(text: string): HistoryOperation[] {
  return text.split(",").map((name) => {
    const known = (Object.keys(historyOperations) as HistoryOperation[]).find(
      (operation) => operation === name,
    );
    if (known !== undefined) return known;
    throw new InvalidArgumentError(`Expected operations among ${Object.keys(historyOperations).join(", ")}.`);
  });
}
