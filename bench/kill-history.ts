import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keyFromSeed } from "../src/kernel/key.ts";
import { compareWithUninterrupted, killWriter, nothingAcknowledged } from "../test/faults/kill-writer.ts";
import { scenarios } from "../test/faults/killed-run.ts";

/**
 * Kills a history's writer again and again and counts what each kill met. Usage: node bench/kill-history.ts [KILLS]
 * Ends with 1 as soon as something that was acknowledged is missing. The histories start anew every 20 kills, each time of
 * the next mode, so that creation is hit as well; in the end each is compared with one that nobody killed.
 */
const KILLS = Number(process.argv[2] ?? 500);
const KILLS_PER_HISTORY = 20;

const names = Object.keys(scenarios);
const hits = { creation: 0, round: 0, transfer: 0, idle: 0 };
const killsOf: Record<string, number> = {};
let [rounds, erasures, exports] = [0, 0, 0];
for (let start = 0, history = 0; start < KILLS; start += KILLS_PER_HISTORY, history++) {
  const scenario = names[history % names.length] as string;
  const directory = mkdtempSync(join(tmpdir(), "lethe-kill-"));
  const path = join(directory, "run.history");
  const acknowledged = nothingAcknowledged();
  const end = Math.min(start + KILLS_PER_HISTORY, KILLS);
  for (let trial = start; trial < end; trial++) {
    const { hit } = await killWriter(path, scenario, keyFromSeed(7), trial, acknowledged);
    hits[hit]++;
  }
  if (acknowledged.rounds.size > 0) await compareWithUninterrupted(path, scenario);
  killsOf[scenario] = (killsOf[scenario] ?? 0) + end - start;
  rounds += acknowledged.rounds.size;
  erasures += acknowledged.erased.size;
  exports += acknowledged.exports.length;
  rmSync(directory, { recursive: true });
  console.error(`${end} kills, ${rounds} rounds, ${erasures} erasures, ${exports} exports: ${scenario}`);
}
console.log(JSON.stringify({ kills: KILLS, rounds, erasures, exports, hits, killsOf, lost: 0 }));
