import { availableParallelism } from "node:os";
import { Command } from "commander";
import { LetheError } from "../../kernel/errors.ts";
import { type CommonOptions, defineAction, parseCount } from "../context.ts";
import { farmEngine, farmOption } from "../farm-option.ts";

interface WorkCommandOptions extends CommonOptions {
  readonly farm?: string;
  readonly workers: number;
  readonly store: string;
  readonly once?: boolean;
}

/** `lethe work`: train models for audits that other machines run. */
export function workCommand(): Command {
  const command = new Command("work")
    .description(
      "Train models for whoever runs `lethe audit --farm` at the same PostgreSQL database. Needs the same data and engine here, which is checked; a killed worker's model goes to the next.",
    )
    .addOption(farmOption("where jobs come from and models go"))
    .option("--workers <count>", "models trained at the same time", parseCount, availableParallelism())
    .option("--store <directory>", "where models and checkpoints are kept on this machine", ".lethe/models")
    .option("--once", "end when there is nothing left to do")
    .addHelpText("after", "\nExample:\n  LETHE_FARM=postgres://lethe@farm.example/lethe lethe work");
  return defineAction<WorkCommandOptions>(command, "out", async (options, context) => {
    if (options.farm === undefined) {
      throw new LetheError(
        "usage",
        "USAGE_FARM",
        "Expected the address of a PostgreSQL database, as --farm postgres://USER@HOST/DATABASE or in the environment as LETHE_FARM.",
      );
    }
    // The database's client is loaded when it is wanted.
    const { workAtFarm } = await import("../../audit/farm/queue/work-at-farm.ts");
    const { trained, dropped } = await context.run(
      "Working",
      workAtFarm({
        url: options.farm,
        engine: farmEngine(),
        workers: options.workers,
        store: options.store,
        isOnce: options.once === true,
        signal: context.signal,
      }),
    );
    return {
      json: { trained, dropped },
      text: [
        `trained    ${trained} models${dropped === 0 ? "" : `; ${dropped} were dropped, as nobody waited for them any more`}`,
      ],
    };
  });
}
