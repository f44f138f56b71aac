// Every gate of the project, in the order in which a failure is cheapest to find. `npm run verify -- --fast` leaves out the
// tests.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const gates: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ["format and lint", "biome", "ci", "--colors=off", "--diagnostic-level=warn", "."],
  ["types", "tsc", "--noEmit"],
  ["boundaries", "node", "tools/check-boundaries.ts"],
  ["generated files", "node", "tools/check-generated.ts"],
  ["unused code", "knip"],
  ["build", "node", "tools/build.ts"],
  ["exports", "publint", "--strict"],
  ["tests", "vitest", "run"],
];

for (const [name, command, ...args] of gates) {
  if (name === "tests" && process.argv.includes("--fast")) continue;
  const start = performance.now();
  const result = spawnSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (result.status !== 0) {
    console.error(`verify: ${name} failed after ${seconds} s (${command} ${args.join(" ")})`);
    process.exit(1);
  }
  console.log(`verify: ${name} ok, ${seconds} s`);
}
