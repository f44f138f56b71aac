// Runs the fuzzers and the kill experiment and keeps what they found: bench/results/robustness.json. Exits 1 when one failed.
//
//   node bench/robustness.ts [inputs] [kills]        100000 and 500 when left out
import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { describeMachine } from "../src/cli/machine.ts";
import { packageVersions } from "../src/cli/package-versions.ts";
import { writeFileAtomically } from "../src/storage/atomic-file.ts";

const [inputs = "100000", kills = "500"] = process.argv.slice(2);
const SCRIPTS = [
  ["fuzz-data.ts", inputs],
  ["fuzz-onnx.ts", inputs],
  ["fuzz-history.ts", inputs],
  ["kill-history.ts", kills],
] as const;

const results = SCRIPTS.map(([script, count]) => {
  const started = performance.now();
  const run = spawnSync(process.execPath, [join(import.meta.dirname, script), count], { encoding: "utf8" });
  const seconds = Math.round((performance.now() - started) / 1000);
  const output = run.stdout.trimEnd().split("\n");
  console.log(`${script} ${count}: exit ${run.status}, ${seconds} s`);
  return { script, count: Number(count), passed: run.status === 0, seconds, output };
});
const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
const document = {
  command: `node bench/robustness.ts ${inputs} ${kills}`,
  commit,
  machine: describeMachine(packageVersions()),
  results,
};
writeFileAtomically(
  join(import.meta.dirname, "results/robustness.json"),
  `${JSON.stringify(document, undefined, 1)}\n`,
);
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;
