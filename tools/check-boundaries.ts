// Checks the directions of imports, the purity of pure folders and the length of files, first on planted violations
// (every rule must catch its own), then on the sources (which must have none).
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative } from "node:path";
import { cruise, type IReporterOutput } from "dependency-cruiser";
import ts from "typescript";

const PURE = /(^|\/)src\/(kernel|onnx|autodiff|methods|metrics|history)\/(?!.*\.test\.ts$)/;
const IMPURE_NAMES = new Set([
  "Date",
  "performance",
  "process",
  "console",
  "fetch",
  "setTimeout",
  "setInterval",
]);
/** Code lines a file may have. Files over it need a reason here. */
const MAX_LINES = 400;
const LONG_FILES: Readonly<Record<string, string>> = {};

const root = join(import.meta.dirname, "..");
const configuration = createRequire(import.meta.url)(join(root, ".dependency-cruiser.cjs"));
const failures: string[] = [];

const planted = await violations("test/boundaries/src");
for (const { name } of configuration.forbidden) {
  if (!planted.rules.has(name))
    failures.push(`the boundary rule ${name} did not catch its planted violation`);
}
const plantedImpure = impurities("test/boundaries/src");
for (const name of ["Date", "Math.random", "performance", "process", "console", "fetch"]) {
  if (!plantedImpure.some((entry) => entry.endsWith(name)))
    failures.push(`the purity check did not catch ${name}`);
}

const sources = sourceFiles("src");
const found = await violations("src");
if (found.modules < sources.length) {
  failures.push(`dependency-cruiser read ${found.modules} modules of ${sources.length} source files`);
}
failures.push(...found.texts, ...impurities("src"));
for (const file of sources) {
  const lines = codeLines(file);
  if (lines > MAX_LINES && LONG_FILES[relative(root, file)] === undefined) {
    failures.push(`${relative(root, file)} has ${lines} lines of code, more than ${MAX_LINES}`);
  }
}

if (failures.length > 0) {
  console.error(failures.join("\n"));
  process.exit(1);
}
console.log(
  `boundaries: ${found.modules} modules, ${sources.length} files, ${configuration.forbidden.length} rules with canaries`,
);

async function violations(folder: string): Promise<{ modules: number; rules: Set<string>; texts: string[] }> {
  const result: IReporterOutput = await cruise(
    [folder],
    { ...configuration.options, ruleSet: { forbidden: configuration.forbidden }, validate: true },
    undefined,
    { tsConfig: ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile).config },
  );
  if (typeof result.output === "string")
    throw new Error("expected a structured result of dependency-cruiser");
  const { violations: list, totalCruised } = result.output.summary;
  return {
    modules: totalCruised,
    rules: new Set(list.map((violation) => violation.rule.name)),
    texts: list.map((violation) => `${violation.rule.name}: ${violation.from} → ${violation.to}`),
  };
}

/** Uses of the clock, randomness, the console or the network by name in pure folders. */
function impurities(folder: string): string[] {
  return sourceFiles(folder)
    .filter((file) => PURE.test(file))
    .flatMap((file) => {
      const names: string[] = [];
      const visit = (node: ts.Node): void => {
        if (ts.isPropertyAccessExpression(node) && node.getText() === "Math.random")
          names.push("Math.random");
        if (ts.isIdentifier(node) && IMPURE_NAMES.has(node.text) && !isMemberName(node))
          names.push(node.text);
        ts.forEachChild(node, visit);
      };
      visit(ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true));
      return names.map((name) => `impure: ${relative(root, file)} uses ${name}`);
    });
}

function isMemberName(node: ts.Identifier): boolean {
  const { parent } = node;
  return (
    (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    (ts.isPropertyAssignment(parent) && parent.name === node) ||
    ts.isPropertySignature(parent)
  );
}

function codeLines(file: string): number {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => !/^\s*($|\/\/|\/?\*)/.test(line)).length;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".d.ts"))
    .map((entry) => join(entry.parentPath, entry.name));
}
