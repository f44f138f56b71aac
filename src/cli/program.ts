import { Command } from "commander";
import { packageVersion } from "./package-versions.ts";

/** Every command, in the order of the help. A command's module is loaded when it is wanted: together they take a second. */
const commands = {
  demo: async () => (await import("./commands/demo.ts")).demoCommand(),
  simulate: async () => (await import("./commands/simulate.ts")).simulateCommand(),
  train: async () => (await import("./commands/train.ts")).trainCommand(),
  plan: async () => (await import("./commands/plan.ts")).planCommand(),
  unlearn: async () => (await import("./commands/unlearn.ts")).unlearnCommand(),
  audit: async () => (await import("./commands/audit.ts")).auditCommand(),
  work: async () => (await import("./commands/work.ts")).workCommand(),
  report: async () => (await import("./commands/report.ts")).reportCommand(),
  differentiate: async () => (await import("./commands/differentiate.ts")).differentiateCommand(),
  history: async () => (await import("./commands/history.ts")).historyCommand(),
  datasets: async () => (await import("./commands/datasets.ts")).datasetsCommand(),
  methods: async () => (await import("./commands/methods.ts")).methodsCommand(),
  metrics: async () => (await import("./commands/metrics.ts")).metricsCommand(),
  codecs: async () => (await import("./commands/codecs.ts")).codecsCommand(),
  bench: async () => (await import("./commands/bench.ts")).benchCommand(),
} as const satisfies Readonly<Record<string, () => Promise<Command>>>;

/**
 * The command line of Lethe.
 *
 * @param wanted - the command that will run, if it is known: the others are then not loaded
 */
export async function createProgram(wanted?: string): Promise<Command> {
  const program = new Command("lethe")
    .description("Machine unlearning for models people really serve.")
    .version(packageVersion())
    .showHelpAfterError("(run with --help for the options)")
    .exitOverride();
  const all = Object.entries(commands);
  const known = all.filter(([name]) => name === wanted);
  for (const [, load] of known.length > 0 || wanted === "--version" ? known : all) {
    const command = await load();
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
