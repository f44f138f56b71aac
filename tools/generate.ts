// Writes every generated file of the repository; `npm run verify` runs it and fails when one changed.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { operators } from "../src/autodiff/operators/index.ts";
import { listMethods } from "../src/methods/index.ts";
import { acceptanceSchema, acceptanceTable } from "./acceptance-table.ts";
import { codecPage, codecResultsSchema } from "./codec-page.ts";
import { comparisonPage, comparisonSchema, comparisonSummary } from "./comparison-table.ts";
import { kernelModule } from "./kernel-module.ts";
import { measuredMethodsModule } from "./measured-methods.ts";
import { methodPage } from "./method-page.ts";
import { methodsPage } from "./methods-page.ts";
import { metricsPage } from "./metrics-page.ts";
import { operatorsPage } from "./operators-page.ts";
import { stepPage, stepSchema } from "./step-page.ts";
import { updateRules } from "./update-rules.ts";

const root = join(import.meta.dirname, "..");

// The ONNX protobuf codec, from the public schema.
const template = JSON.stringify({
  version: "v2",
  plugins: [{ local: "protoc-gen-es", out: "src/onnx/proto", opt: ["target=js+dts", "import_extension=js"] }],
});
const result = spawnSync("buf", ["generate", "src/onnx/proto", "--template", template], { stdio: "inherit" });
if (result.status !== 0) process.exit(result.status ?? 1);

// The fast path of the history's codec, from assembly/.
writeFileSync(join(root, "src/history/fast/kernel-bytes.ts"), kernelModule(root));

// The README's tables and the pages of results, from committed results.
const readJson = (path: string): unknown => JSON.parse(readFileSync(join(root, path), "utf8"));
const comparisons = new Map(
  readdirSync(join(root, "bench/results/comparison"))
    .sort()
    .map((file) => [
      basename(file, ".json"),
      comparisonSchema.parse(readJson(`bench/results/comparison/${file}`)),
    ]),
);
writeFileSync(join(root, "bench/results/comparison.md"), comparisonPage(comparisons));
const tables: Readonly<Record<string, string>> = {
  acceptance: acceptanceTable(acceptanceSchema.parse(readJson("bench/results/acceptance.json"))),
  comparison: comparisonSummary(comparisons),
};
const readme = join(root, "README.md");
const text = readFileSync(readme, "utf8");
writeFileSync(
  readme,
  Object.entries(tables).reduce((page, [name, table]) => {
    const marked = new RegExp(`(<!-- generated: ${name} -->\n)[\\s\\S]*?(<!-- /generated -->)`);
    if (!marked.test(page)) throw new Error(`README.md has no place for the generated table ${name}`);
    return page.replace(marked, (_, open: string, close: string) => `${open}${table}${close}`);
  }, text),
);

// The codecs' figures.
writeFileSync(
  join(root, "bench/results/codec.md"),
  codecPage(codecResultsSchema.parse(readJson("bench/results/codec.json"))),
);

// The page of operators, from their table.
writeFileSync(join(root, "docs/operators.md"), operatorsPage(operators));
// The page of metrics, from their declarations.
writeFileSync(join(root, "docs/metrics.md"), metricsPage());

// The list of methods and a page for each, from their declarations, comments and committed results.
writeFileSync(join(root, "docs/methods.md"), methodsPage());
const pages = join(root, "docs/methods");
// Before, so that no page of a method that is gone stays.
rmSync(pages, { recursive: true, force: true });
mkdirSync(pages);
const rules = updateRules();
for (const method of listMethods()) {
  const rule = rules.get(method.id);
  if (rule === undefined)
    throw new Error(`No comment stands before the declaration of the method ${method.id}`);
  writeFileSync(join(pages, `${method.id}.md`), methodPage(method, rule));
}

// The page of training steps, from the committed results.
const steps = stepSchema.parse(JSON.parse(readFileSync(join(root, "bench/results/step.json"), "utf8")));
writeFileSync(join(root, "bench/results/step.md"), stepPage(steps));

// What the planner knows of methods, from committed comparisons.
writeFileSync(
  join(root, "src/planning/measured-methods.ts"),
  measuredMethodsModule(join(root, "bench/results/comparison")),
);
