// Training steps of the ready models beside PyTorch and JAX: bench/results/step.json, from which `npm run generate` makes step.md.
// What is measured takes the place of earlier results of the same model and thread count, so that parts can be measured apart.
//
//   node bench/step.ts PYTHON [MODELS [THREADS [NOTE]]]
//   node bench/step.ts python3 "resnet20 vit" "1 2"
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeFileAtomically } from "../src/storage/atomic-file.ts";
import { stepSchema } from "../tools/step-page.ts";

const MODELS = "mlp:128 cnn cnn-medium resnet20 vit gpt lstm";
const STEPS = 20;

const [python = "python3", models = MODELS, threads = "1 2", note] = process.argv.slice(2);
const lethe = join(import.meta.dirname, "../bin/lethe.mjs");
const file = join(import.meta.dirname, "results/step.json");
const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
const command = "node bench/step.ts python3";

for (const count of threads.split(" ")) {
  for (const model of models.split(" ")) {
    const out = mkdtempSync(join(tmpdir(), "lethe-step-"));
    try {
      execFileSync(
        process.execPath,
        [
          lethe,
          ...["bench", "step", "--models", model, "--bench-threads", count],
          ...["--steps", String(STEPS), "--python", python, "--out", out],
        ],
        { stdio: ["ignore", "inherit", "inherit"] },
      );
      const measured = JSON.parse(readFileSync(join(out, "step.json"), "utf8"));
      const found = stepSchema.parse({ ...measured, command, commit, ...(note && { note }) });
      const earlier = existsSync(file)
        ? stepSchema.safeParse(JSON.parse(readFileSync(file, "utf8"))).data
        : undefined;
      const isNew = (result: { readonly threads: number; readonly model?: string }): boolean =>
        result.threads === Number(count) && (result.model === undefined || result.model === model);
      const kept = {
        gemm: (earlier?.gemm ?? []).filter((entry) => !isNew(entry)),
        results: (earlier?.results ?? []).filter((result) => !isNew(result)),
      };
      const document = {
        ...found,
        gemm: [...kept.gemm, ...found.gemm].sort((a, b) => a.threads - b.threads),
        results: [...kept.results, ...found.results],
      };
      writeFileAtomically(file, `${JSON.stringify(document, undefined, 1)}\n`);
    } finally {
      rmSync(out, { recursive: true, force: true });
    }
  }
}
