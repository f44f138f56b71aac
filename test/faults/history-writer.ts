import { rmSync, writeSync } from "node:fs";
import { exportHistory, importHistory } from "../../src/storage/sqlite/transfer-history.ts";
import { guestOf, openOrCreate, ROUNDS_PER_GUEST, roundInput } from "./killed-run.ts";

/**
 * A process to be killed: it accepts rounds for ever, erases a client now and then, exports the history and imports the file,
 * and says on its output what was acknowledged. Usage: node history-writer.ts PATH SCENARIO
 */
const ROUNDS_PER_EXPORT = 4;

await main(process.argv[2] as string, process.argv[3] as string);

async function main(path: string, scenario: string): Promise<void> {
  say("ready");
  const history = await openOrCreate(path, scenario);
  const last = await history.resume();
  for (let round = last ? last.round + 1 : 0; ; round++) {
    const receipt = await history.acceptRound(roundInput(round));
    say(`accepted ${round} ${receipt.digest}`);
    if (round % ROUNDS_PER_GUEST === 0 && round > 0) {
      const guest = guestOf(round - 1);
      await history.eraseClient(guest);
      say(`erased ${guest}`);
    }
    if (round % ROUNDS_PER_EXPORT === 0) {
      const { head } = exportHistory(path, `${path}.lethe`);
      say(`exported ${round} ${head}`);
      rmSync(`${path}.copy`, { force: true });
      await importHistory(`${path}.lethe`, `${path}.copy`);
      say(`imported ${round} ${head}`);
    }
  }
}

function say(line: string): void {
  writeSync(1, `${line}\n`);
}
