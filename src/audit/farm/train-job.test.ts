import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { blobs } from "../../../test/support/blobs.ts";
import { digestArrays } from "../../kernel/digest.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import { recipeSchema } from "../../training/recipe.ts";
import { openModelStore } from "./model-store.ts";
import { shareSamples } from "./shared-samples.ts";
import { trainJob } from "./train-job.ts";
import { type FarmHeader, jobDigest, openModel } from "./training-job.ts";

it("goes on after the last checkpoint of an interrupted training, to the same bits", async () => {
  const samples = blobs({ count: 400, featureShape: [4], classes: 3, seed: 1 });
  const header: FarmHeader = {
    data: shareSamples(samples),
    model: { kind: "ready", text: "mlp:8", sizes: { inputShape: [4], classes: 3 } },
    recipe: recipeSchema.parse({ epochs: 4, batchSize: 8, optimizer: { id: "adam" } }),
  };
  const job = { subset: Uint32Array.from(samples.labels, (_, at) => at), seed: 5 };
  const digest = jobDigest(header, job);
  const directory = mkdtempSync(join(tmpdir(), "lethe-job-"));
  try {
    const benchAt = (store: string) => ({
      header,
      samples,
      architecture: openModel(header.model),
      store: join(directory, store),
      checkpointEveryMs: 0,
    });
    const never = new AbortController().signal;
    await trainJob(benchAt("whole"), job, () => {}, never);

    const controller = new AbortController();
    const interrupted = trainJob(
      benchAt("parts"),
      job,
      (event) => {
        if (event.type === "step" && event.step >= 120) controller.abort();
      },
      controller.signal,
    );
    await expect(interrupted).rejects.toMatchObject({ code: "LETHE_CANCELLED" });
    const parts = openModelStore(join(directory, "parts"));
    expect(parts.read(digest)).toBeUndefined();
    expect(parts.readProgress(digest)?.step).toBe(100);

    const steps: number[] = [];
    await trainJob(benchAt("parts"), job, (event) => event.type === "step" && steps.push(event.step), never);
    expect(steps[0]).toBeGreaterThan(100);
    const [a, b] = ["parts", "whole"].map((store) =>
      digestArrays(openModelStore(join(directory, store)).read(digest) as ParameterSet),
    );
    expect(a).toBe(b);
    const leftover = digest.slice("sha256:".length);
    expect(
      existsSync(join(directory, "parts", leftover.slice(0, 2), `${leftover}.progress.safetensors`)),
    ).toBe(false);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
