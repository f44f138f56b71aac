import { CommanderError } from "commander";
import { exitCodeOf, LetheError } from "../kernel/errors.ts";
import { reportFailure, writeErrorDocument } from "./context.ts";
import { collectAloneWhenFarming } from "./lone-collector.ts";
import { createProgram } from "./program.ts";

collectAloneWhenFarming();

// A reader that has seen enough (`| head`) is no fault of the command: what was to be said is said, files are written.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}

// Asked of the arguments themselves: what is wrong may be that they cannot be read.
const json = process.argv.includes("--json");
try {
  const program = await createProgram(process.argv[2]);
  await program.parseAsync(process.argv);
} catch (error) {
  if (!(error instanceof CommanderError)) process.exitCode = reportFailure(error, json);
  else if (error.exitCode !== 0) {
    // Commander has printed its own message.
    if (json) {
      const message = error.message.replace(/^error: /, "");
      writeErrorDocument(new LetheError("usage", "USAGE_COMMAND_LINE", message));
    }
    process.exitCode = exitCodeOf.usage;
  }
}
