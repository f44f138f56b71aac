import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keyFromSeed } from "../src/kernel/key.ts";
import { type Acknowledged, killWriter } from "../test/faults/kill-writer.ts";

/**
 * Kills a history's writer again and again and counts what each kill met. Usage: node bench/kill-history.ts [KILLS]
 * Ends with 1 as soon as something that was acknowledged is missing. The histories start anew every 50 kills, so that
 * creation is hit as well.
 */
const KILLS = Number(process.argv[2] ?? 500);
const KILLS_PER_HISTORY = 50;

const counts = { creation: 0, round: 0, idle: 0 };
let rounds = 0;
let erasures = 0;
for (let start = 0; start < KILLS; start += KILLS_PER_HISTORY) {
  const directory = mkdtempSync(join(tmpdir(), "lethe-kill-"));
  const acknowledged: Acknowledged = { rounds: new Map(), erased: new Set() };
  for (let trial = start; trial < Math.min(start + KILLS_PER_HISTORY, KILLS); trial++) {
    const { hit } = await killWriter(join(directory, "run.history"), keyFromSeed(7), trial, acknowledged);
    counts[hit]++;
  }
  rounds += acknowledged.rounds.size;
  erasures += acknowledged.erased.size;
  rmSync(directory, { recursive: true });
  console.error(`${start + KILLS_PER_HISTORY} kills, ${rounds} rounds, ${erasures} erasures`);
}
console.log(JSON.stringify({ kills: KILLS, rounds, erasures, hits: counts, lost: 0 }));
