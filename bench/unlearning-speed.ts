// Seconds of unlearning one client of twenty after forty rounds beside those of retraining, each case in a process of its own:
// bench/results/unlearning-speed.json and .md.
//
//   node bench/unlearning-speed.ts
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomically } from "../src/storage/atomic-file.ts";

const documentSchema = z.object({
  seconds: z.object({ train: z.number(), unlearn: z.number(), retrain: z.number() }),
  history: z.object({
    parameters: z.number(),
    updates: z.number(),
    storedBytes: z.number(),
    ratio: z.number(),
  }),
  accuracy: z.object({ unlearned: z.number(), retrained: z.number() }),
  peakMemoryBytes: z.number(),
  machine: z.object({
    cores: z.number(),
    processor: z.string(),
    system: z.string(),
    versions: z.record(z.string(), z.string()),
  }),
});

const CASES = [
  { title: "MLP 784-64-10, MNIST", args: ["--model", "mlp"] },
  { title: "CNN 8-16, MNIST", args: ["--model", "cnn"] },
  {
    title: "CNN 32-64, dense 128, MNIST, 200 images a client",
    args: ["--model", "cnn-medium", "--samples-per-client", "200"],
  },
];
const COMMON = ["--data", "mnist", "--attack", "backdoor", "--boost", "5", "--json"];
const lethe = join(import.meta.dirname, "../bin/lethe.mjs");
const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();

const results = CASES.map(({ title, args }) => {
  const out = mkdtempSync(join(tmpdir(), "lethe-speed-"));
  try {
    execFileSync(process.execPath, [lethe, "simulate", ...COMMON, ...args, "--out", out], {
      stdio: "ignore",
    });
    const document = documentSchema.parse(JSON.parse(readFileSync(join(out, "result.json"), "utf8")));
    console.log(title, document.seconds, `${(document.peakMemoryBytes / 2 ** 20).toFixed(0)} MiB`);
    return { title, command: ["lethe simulate", ...COMMON, ...args].join(" "), ...document };
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
});

const folder = join(import.meta.dirname, "results");
const { machine } = results[0] as (typeof results)[number];
writeFileAtomically(
  join(folder, "unlearning-speed.json"),
  `${JSON.stringify({ command: "node bench/unlearning-speed.ts", commit, machine, results }, undefined, 1)}\n`,
);
writeFileAtomically(
  join(folder, "unlearning-speed.md"),
  [
    "# Unlearning beside retraining",
    "",
    `\`node bench/unlearning-speed.ts\`, commit ${commit}, ${machine.cores} cores (${machine.processor}), Node ${machine.versions.node}, ONNX Runtime ${machine.versions["onnxruntime-node"]}. One run each; wall clock.`,
    "",
    "| model | values | unlearn s | retrain s | share | train s | history MB | peak MiB of the whole simulation |",
    "|---|---|---|---|---|---|---|---|",
    ...results.map(
      ({ title, seconds, history, peakMemoryBytes }) =>
        `| ${title} | ${history.parameters} | ${seconds.unlearn.toFixed(2)} | ${seconds.retrain.toFixed(2)} | ${((100 * seconds.unlearn) / seconds.retrain).toFixed(0)} % | ${seconds.train.toFixed(1)} | ${(history.storedBytes / 1e6).toFixed(2)} | ${(peakMemoryBytes / 2 ** 20).toFixed(0)} |`,
    ),
    "",
  ].join("\n"),
);
