import { CommanderError } from "commander";
import { reportFailure } from "./context.ts";
import { createProgram } from "./program.ts";

try {
  await createProgram().parseAsync(process.argv);
} catch (error) {
  // Commander has printed its own message; help and version end with 0, wrong usage with 2.
  process.exitCode =
    error instanceof CommanderError ? (error.exitCode === 0 ? 0 : 2) : reportFailure(error, false);
}
