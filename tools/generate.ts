// Writes every generated file of the repository; `npm run verify` runs it and fails when one changed.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { operators } from "../src/autodiff/operators/index.ts";
import { acceptanceSchema, acceptanceTable } from "./acceptance-table.ts";
import { measuredMethodsModule } from "./measured-methods.ts";
import { methodsPage } from "./methods-page.ts";
import { metricsPage } from "./metrics-page.ts";
import { operatorsPage } from "./operators-page.ts";

const root = join(import.meta.dirname, "..");

// The ONNX protobuf codec, from the public schema.
const template = JSON.stringify({
  version: "v2",
  plugins: [{ local: "protoc-gen-es", out: "src/onnx/proto", opt: ["target=js+dts", "import_extension=js"] }],
});
const result = spawnSync("buf", ["generate", "src/onnx/proto", "--template", template], { stdio: "inherit" });
if (result.status !== 0) process.exit(result.status ?? 1);

// The README's tables, from committed results.
const readme = join(root, "README.md");
const document = acceptanceSchema.parse(
  JSON.parse(readFileSync(join(root, "bench/results/acceptance.json"), "utf8")),
);
const text = readFileSync(readme, "utf8");
const marked = /(<!-- generated: acceptance -->\n)[\s\S]*?(<!-- \/generated -->)/;
if (!marked.test(text)) throw new Error("README.md has no place for the generated table");
writeFileSync(
  readme,
  text.replace(marked, (_, open: string, close: string) => `${open}${acceptanceTable(document)}${close}`),
);

// The page of operators, from their table.
writeFileSync(join(root, "docs/operators.md"), operatorsPage(operators));
// The page of metrics, from their declarations.
writeFileSync(join(root, "docs/metrics.md"), metricsPage());

// The page of methods, from their declarations.
writeFileSync(join(root, "docs/methods.md"), methodsPage());

// What the planner knows of methods, from committed comparisons.
writeFileSync(
  join(root, "src/planning/measured-methods.ts"),
  measuredMethodsModule(join(root, "bench/results")),
);
