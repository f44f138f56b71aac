import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { datasetsCommand } from "./commands/datasets.ts";
import { differentiateCommand } from "./commands/differentiate.ts";
import { trainCommand } from "./commands/train.ts";

/** The command line: every command of Lethe. */
export function createProgram(): Command {
  const program = new Command("lethe")
    .description("Machine unlearning for models people really serve.")
    .version(packageVersion())
    .showHelpAfterError("(run with --help for the options)")
    .exitOverride();
  for (const command of [trainCommand(), differentiateCommand(), datasetsCommand()]) {
    program.addCommand(command.copyInheritedSettings(program));
  }
  return program;
}

/** The version of the package this file belongs to, two folders up in the sources and in the build. */
function packageVersion(): string {
  const description: unknown = JSON.parse(
    readFileSync(join(import.meta.dirname, "../../package.json"), "utf8"),
  );
  return typeof description === "object" && description !== null && "version" in description
    ? String(description.version)
    : "unknown";
}
