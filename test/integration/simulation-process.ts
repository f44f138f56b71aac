import { writeSync } from "node:fs";
import { digestsOf, runTiny } from "./tiny-simulation.ts";

/**
 * A simulation to be killed: says on its output what it has reached, and in the end its digests.
 * Usage: node simulation-process.ts DIRECTORY SETTINGS
 */
const [directory = "", settings = "{}"] = process.argv.slice(2);
const say = (line: string): void => void writeSync(1, `${line}\n`);

say("ready");
const outcome = await runTiny(directory, JSON.parse(settings), {
  onEvent: (event) => {
    if (event.type === "phase") say(`phase ${event.name}`);
    if (event.type === "step") say(`step ${event.step}`);
  },
});
say(`digests ${JSON.stringify(digestsOf(outcome))}`);
