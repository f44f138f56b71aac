// Runs the fuzzers and the kill experiment and keeps what they found: bench/results/robustness.json. Exits 1 when one failed.
//
//   node bench/robustness.ts [inputs] [kills] [scripts…]
//
// 100000 and 500 when left out, records of histories ten times as many; of the other scripts the file keeps what it has.
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describeMachine } from "../src/cli/machine.ts";
import { packageVersions } from "../src/cli/package-versions.ts";
import { writeFileAtomically } from "../src/storage/atomic-file.ts";

interface Result {
  readonly script: string;
  readonly count: number;
  readonly passed: boolean;
  readonly seconds: number;
  readonly commit?: string;
  readonly output: readonly string[];
}

const [inputs = "100000", kills = "500", ...chosen] = process.argv.slice(2);
const SCRIPTS = [
  ["fuzz-data.ts", inputs],
  ["fuzz-onnx.ts", inputs],
  ["fuzz-history.ts", String(10 * Number(inputs))],
  ["kill-history.ts", kills],
] as const;
const file = join(import.meta.dirname, "results/robustness.json");
const before = JSON.parse(readFileSync(file, "utf8")) as { commit: string; results: readonly Result[] };
const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();

const results = SCRIPTS.flatMap(([script, count]): Result[] => {
  const kept = before.results.filter((result) => result.script === script);
  if (chosen.length > 0 && !chosen.includes(script))
    return kept.map((result) => ({ ...result, commit: result.commit ?? before.commit }));
  const started = performance.now();
  const run = spawnSync(process.execPath, [join(import.meta.dirname, script), count], { encoding: "utf8" });
  const seconds = Math.round((performance.now() - started) / 1000);
  const output = run.stdout.trimEnd().split("\n");
  console.log(`${script} ${count}: exit ${run.status}, ${seconds} s`);
  return [{ script, count: Number(count), passed: run.status === 0, seconds, commit, output }];
});
const document = {
  command: `node bench/robustness.ts ${inputs} ${kills}`,
  commit,
  machine: describeMachine(packageVersions()),
  results,
};
writeFileAtomically(file, `${JSON.stringify(document, undefined, 1)}\n`);
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;
