// Writes every generated file of the repository; `npm run verify` runs it and fails when one changed.
import { spawnSync } from "node:child_process";

// The ONNX protobuf codec, from the public schema.
const template = JSON.stringify({
  version: "v2",
  plugins: [{ local: "protoc-gen-es", out: "src/onnx/proto", opt: ["target=js+dts", "import_extension=js"] }],
});
const result = spawnSync("buf", ["generate", "src/onnx/proto", "--template", template], { stdio: "inherit" });
if (result.status !== 0) process.exit(result.status ?? 1);
