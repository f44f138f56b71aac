// Writes every generated file again and fails when one differs from what is committed.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const generated = ["src/onnx/proto", "README.md", "docs"];

const generate = spawnSync("node", ["tools/generate.ts"], { cwd: root, stdio: "inherit" });
if (generate.status !== 0) process.exit(1);
const difference = spawnSync("git", ["diff", "--exit-code", "--stat", "--", ...generated], {
  cwd: root,
  encoding: "utf8",
});
if (difference.status !== 0) {
  console.error(
    `generated files differ from the committed ones; run \`npm run generate\` and commit:\n${difference.stdout}`,
  );
  process.exit(1);
}
