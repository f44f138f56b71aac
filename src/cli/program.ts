import { Command } from "commander";
import { auditCommand } from "./commands/audit.ts";
import { benchCommand } from "./commands/bench.ts";
import { codecsCommand } from "./commands/codecs.ts";
import { datasetsCommand } from "./commands/datasets.ts";
import { demoCommand } from "./commands/demo.ts";
import { differentiateCommand } from "./commands/differentiate.ts";
import { historyCommand } from "./commands/history.ts";
import { methodsCommand } from "./commands/methods.ts";
import { metricsCommand } from "./commands/metrics.ts";
import { planCommand } from "./commands/plan.ts";
import { simulateCommand } from "./commands/simulate.ts";
import { trainCommand } from "./commands/train.ts";
import { unlearnCommand } from "./commands/unlearn.ts";
import { packageVersion } from "./package-versions.ts";

/** The command line: every command of Lethe. */
export function createProgram(): Command {
  const program = new Command("lethe")
    .description("Machine unlearning for models people really serve.")
    .version(packageVersion())
    .showHelpAfterError("(run with --help for the options)")
    .exitOverride();
  for (const command of [
    demoCommand(),
    simulateCommand(),
    trainCommand(),
    unlearnCommand(),
    auditCommand(),
    differentiateCommand(),
    historyCommand(),
    planCommand(),
    datasetsCommand(),
    methodsCommand(),
    metricsCommand(),
    codecsCommand(),
    benchCommand(),
  ]) {
    program.addCommand(command);
    inheritSettings(command, program);
  }
  return program;
}

/** Commands inside commands too: one that exits by itself would end wrong usage with 1. */
function inheritSettings(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent);
  for (const inner of command.commands) inheritSettings(inner, command);
}
