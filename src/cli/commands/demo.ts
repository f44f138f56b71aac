import { rmSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { simulationSchema } from "../../federation/simulation/config.ts";
import { parseCodec } from "../codec-argument.ts";
import { type CommonOptions, defineAction } from "../context.ts";
import { runSimulation } from "./simulate.ts";

/** Codecs whose histories the demo compares with its own, from coarse to exact. */
const COMPARED = ["z:1.2,temporal:1.1", "z:0.7", "e8:1.2", "z:2", "z:4", "none"] as const;

/** `lethe demo`: the main job on MNIST, in about two minutes. */
export function demoCommand(): Command {
  const command = new Command("demo").description(
    "Twenty federated clients train on MNIST, one of them poisons the model; the server removes it from its compressed\n" +
      "history alone, and a report compares the result with retraining.",
  );
  return defineAction<CommonOptions>(command, "out/demo", async (options, context) => {
    const config = simulationSchema.parse({
      data: "mnist",
      attack: { id: "backdoor", settings: { boost: 5 } },
      codecCurve: COMPARED.map(parseCodec),
      seed: context.seed,
    });
    // Every demo is a run of its own: its times are those of this machine, now.
    for (const name of ["history.db", ...COMPARED.map((_, index) => `history-curve-${index}.db`)]) {
      for (const suffix of ["", "-wal", "-shm"])
        rmSync(join(options.out, `${name}${suffix}`), { force: true });
    }
    return runSimulation(config, options.out, context, "npm run demo");
  });
}
