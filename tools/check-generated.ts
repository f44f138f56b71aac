// Writes every generated file again and fails when one came out other than it was.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";

const root = join(import.meta.dirname, "..");
/** What `tools/generate.ts` writes: files and folders. */
const GENERATED = [
  "README.md",
  "bench/results/comparison.md",
  "bench/results/step.md",
  "bench/results/codec.md",
  "docs/methods.md",
  "docs/methods",
  "docs/metrics.md",
  "docs/operators.md",
  "src/history/fast/kernel-bytes.ts",
  "src/onnx/proto",
  "src/planning/measured-methods.ts",
];

const before = contents();
const generate = spawnSync("node", ["tools/generate.ts"], { cwd: root, stdio: "inherit" });
if (generate.status !== 0) process.exit(1);
const after = contents();
const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
  (file) => before.get(file) !== after.get(file),
);
if (changed.length > 0) {
  console.error(
    `generated files were out of date; they are written again, commit them: ${changed.join(", ")}`,
  );
  process.exit(1);
}
console.log(`generated: ${after.size} files are up to date`);

function contents(): Map<string, string> {
  const files = GENERATED.flatMap((path) => {
    const full = join(root, path);
    return statSync(full).isDirectory() ? readdirSync(full).map((name) => join(full, name)) : [full];
  });
  return new Map(files.map((file) => [relative(root, file), readFileSync(file, "latin1")]));
}
