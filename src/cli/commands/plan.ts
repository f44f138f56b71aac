import { Command, InvalidArgumentError } from "commander";
import { type HistoryOperation, historyOperations } from "../../history/retention.ts";
import { chooseHistory } from "../../planning/choose-history.ts";
import { type CommonOptions, defineAction, parseCount, parseReal } from "../context.ts";
import { formatMode } from "../mode-argument.ts";

interface PlanOptions extends CommonOptions {
  readonly rounds: number;
  readonly clients: number;
  readonly parameters: number;
  readonly budget: number;
  readonly updatesPerRound?: number;
  readonly wants: readonly HistoryOperation[];
  readonly alpha: number;
}

/** α where sums are planned and nobody says: the value of demonstrations. */
const ALPHA = -0.15;

/** `lethe plan`: which history to keep of a training that has not begun. */
export function planCommand(): Command {
  const names = Object.keys(historyOperations).join(", ");
  const command = new Command("plan")
    .description(
      "Choose what to keep of a federated training, for a budget and the operations it has to allow.",
    )
    .option("--history", "plan the history; the only thing there is to plan so far", true)
    .requiredOption("--rounds <count>", "rounds of the training", parseCount)
    .requiredOption("--clients <count>", "clients of the federation", parseCount)
    .requiredOption("--parameters <count>", "parameters and buffers of the model", parseCount)
    .requiredOption("--budget <bytes>", "bytes on disk after the last round, such as 20000000", parseCount)
    .option("--updates-per-round <count>", "clients that take part in a round (default: all)", parseCount)
    .option(
      "--wants <operations>",
      `what has to stay possible, separated by commas: ${names}`,
      parseWants,
      [],
    )
    .option("--alpha <skew>", "discount of sums, should it come to them", parseReal, ALPHA);
  return defineAction<PlanOptions>(command, "out", async ({ budget, wants, alpha, ...options }) => {
    const { rounds, clients, parameters, updatesPerRound } = options;
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
