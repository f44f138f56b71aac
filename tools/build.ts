// Compiles the package to dist/: JavaScript and declarations, and the generated ONNX codec beside them.
import { spawnSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
rmSync(join(root, "dist"), { recursive: true, force: true });
const result = spawnSync("tsc", ["-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
if (result.status !== 0) process.exit(result.status ?? 1);
for (const name of ["onnx_pb.js", "onnx_pb.d.ts"]) {
  cpSync(join(root, "src/onnx/proto", name), join(root, "dist/onnx/proto", name));
}
