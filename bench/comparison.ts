// Every method beside retraining on images, text and tables, as `lethe bench methods` compares them. Writes
// bench/results/comparison/CASE.json when a case is done; models and finished cells are kept, so that an interrupted run goes on
// where it was.
//
//   node bench/comparison.ts [--cases mnist-class,mnist-random-1] [--store DIRECTORY] [--workers 2]
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writeFileAtomically } from "../src/storage/atomic-file.ts";

const { values } = parseArgs({
  options: {
    cases: { type: "string" },
    store: { type: "string", default: ".lethe/models" },
    workers: { type: "string", default: "2" },
  },
});

const mnist = "--data mnist --model cnn --samples 10000 --epochs 5 --trials 4";
const fashion = "--data fashion-mnist --model cnn --samples 10000 --epochs 8 --trials 4";
/** Narrow (4, 8, 16 channels): the full width takes twelve times as long, and there are two hundred models in a case. */
const residual = "--data fashion-mnist --model resnet20:0.25 --samples 10000 --epochs 5 --batch-size 64";
const CASES: Readonly<Record<string, string>> = {
  "digits-class": "--data digits --model mlp:32 --epochs 15 --forget class:3 --trials 3",
  "mnist-class": `${mnist} --forget class:3`,
  "mnist-random-1": `${mnist} --forget random:0.01`,
  "mnist-random-10": `${mnist} --forget random:0.1`,
  "fashion-class": `${fashion} --forget class:3`,
  "fashion-random-1": `${fashion} --forget random:0.01`,
  "fashion-random-10": `${fashion} --forget random:0.1`,
  "fashion-resnet-class": `${residual} --forget class:3 --seeds 1 --trials 1`,
  "fashion-resnet-random-10": `${residual} --forget random:0.1 --seeds 1 --trials 1`,
  // The sender with the second most mails; the first is a collection of feeds.
  "mails-subject": "--data mails --model mlp --epochs 8 --trials 4 --forget subject:880e7a6df1b99e64",
  "flights-group": "--data flights --model mlp --epochs 8 --trials 4 --forget group:origin=DFW",
};

const cli = join(import.meta.dirname, "../src/cli/main.ts");
const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
for (const id of values.cases?.split(",") ?? Object.keys(CASES)) {
  const flags = CASES[id];
  if (flags === undefined) throw new Error(`No case ${id}; there are ${Object.keys(CASES).join(", ")}.`);
  const out = mkdtempSync(join(tmpdir(), "lethe-comparison-"));
  const fixed = ["bench", "methods", "--out", out, "--store", values.store, "--workers", values.workers];
  const { status } = spawnSync(process.execPath, [cli, ...fixed, ...flags.split(" ")], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (status !== 0) process.exit(status ?? 1);
  const result = JSON.parse(readFileSync(join(out, "comparison.json"), "utf8"));
  const document = { command: `lethe bench methods ${flags}`, commit, ...result };
  writeFileAtomically(join(import.meta.dirname, `results/comparison/${id}.json`), linesOf(document));
  rmSync(out, { recursive: true });
}

/** JSON with one line for each row of a list: short to read in a change. */
function linesOf(document: Readonly<Record<string, unknown>>): string {
  const members = Object.entries(document).map(([name, value]) => {
    const text = Array.isArray(value)
      ? `[\n${value.map((row) => `    ${JSON.stringify(row)}`).join(",\n")}\n  ]`
      : JSON.stringify(value);
    return `  ${JSON.stringify(name)}: ${text}`;
  });
  return `{\n${members.join(",\n")}\n}\n`;
}
