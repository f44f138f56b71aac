import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { blobs } from "../../../test/support/blobs.ts";
import { digestArrays } from "../../kernel/digest.ts";
import { consume, type LetheEvent } from "../../kernel/events.ts";
import { recipeSchema } from "../../training/recipe.ts";
import { trainModels } from "./model-farm.ts";
import { openShared, shareSamples } from "./shared-samples.ts";
import { type FarmHeader, jobDigest, type TrainingJob } from "./training-job.ts";

const samples = blobs({ count: 60, featureShape: [4], classes: 3, seed: 1 });
const header: FarmHeader = {
  data: shareSamples(samples),
  model: { kind: "ready", text: "mlp:8", sizes: { inputShape: [4], classes: 3 } },
  recipe: recipeSchema.parse({ epochs: 2, batchSize: 16 }),
};
const all = Uint32Array.from({ length: 60 }, (_, position) => position);
const jobs: readonly TrainingJob[] = [
  { subset: all, seed: 1 },
  { subset: all.subarray(10), seed: 1 },
  { subset: all, seed: 2 },
];

let store: string;
beforeEach(() => {
  store = mkdtempSync(join(tmpdir(), "lethe-farm-"));
});
afterEach(() => rmSync(store, { recursive: true }));

const files = (): readonly string[] =>
  readdirSync(store, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

async function train(wanted = jobs, workers = 2): Promise<{ digests: string[]; events: LetheEvent[] }> {
  const events: LetheEvent[] = [];
  const models = await consume(trainModels(header, wanted, { store, workers }), (event) =>
    events.push(event),
  );
  return { digests: models.map((weights) => digestArrays(weights)), events };
}

describe("the model farm", () => {
  it("trains each job once, whatever the number of workers, and reads it from the store afterwards", async () => {
    const first = await train();
    expect(new Set(first.digests).size).toBe(3);
    expect(files()).toHaveLength(3);
    const started = (events: readonly LetheEvent[]): unknown => events.find(({ type }) => type === "started");
    expect(started(first.events)).toMatchObject({ details: { stored: 0, missing: 3 } });
    expect(first.events.findLast(({ type }) => type === "step")).toMatchObject({ step: 24, of: 24 });

    const again = await train([...jobs, { subset: all, seed: 3 }]);
    expect(again.digests.slice(0, 3)).toEqual(first.digests);
    expect(started(again.events)).toMatchObject({ details: { stored: 3, missing: 1 } });

    rmSync(store, { recursive: true });
    expect((await train(jobs, 1)).digests).toEqual(first.digests);
  });

  it("trains equal jobs of one call once", async () => {
    const [first, second] = (await train([jobs[0] as TrainingJob, jobs[0] as TrainingJob])).digests;
    expect(first).toBe(second);
    expect(files()).toHaveLength(1);
  });

  it("trains a model again whose file was cut short or changed", async () => {
    const before = await train(jobs.slice(0, 1));
    const [path = ""] = files();
    const bytes = readFileSync(path);
    for (const broken of [bytes.subarray(0, 100), Buffer.from(bytes).fill(1, bytes.length - 3)]) {
      writeFileSync(path, broken);
      const after = await train(jobs.slice(0, 1));
      expect(after.digests).toEqual(before.digests);
      expect(after.events).toContainEqual(expect.objectContaining({ type: "notice", code: "STORE_DAMAGED" }));
    }
  });

  it("ends with the code of cancelling, keeps finished models and leaves no half-written ones", async () => {
    const controller = new AbortController();
    const many = Array.from({ length: 40 }, (_, seed): TrainingJob => ({ subset: all, seed }));
    const running = trainModels(header, many, { store, workers: 1, signal: controller.signal });
    let done = 0;
    const outcome = consume(running, (event) => {
      if (event.type === "step" && event.scalars.models === "2 of 40" && done++ === 0) controller.abort();
    });
    await expect(outcome).rejects.toMatchObject({ code: "LETHE_CANCELLED" });
    expect(files().length).toBeGreaterThanOrEqual(2);
    expect(files().length).toBeLessThan(40);
    expect(files().every((path) => path.endsWith(".safetensors"))).toBe(true);
  });

  it("hands on what went wrong in a worker", async () => {
    const recipe = { ...header.recipe, learningRate: 1e30 };
    await expect(
      consume(trainModels({ ...header, recipe }, jobs, { store, workers: 2 })),
    ).rejects.toMatchObject({ code: "LETHE_NUMERIC_LOSS" });
  });
});

describe("a job's digest", () => {
  it("changes with the data, the model, the recipe, the subset and the seed, and with nothing else", () => {
    const job = jobs[0] as TrainingJob;
    const digest = jobDigest(header, job);
    const other = shareSamples(blobs({ count: 60, featureShape: [4], classes: 3, seed: 9 }));
    const changed = [
      jobDigest({ ...header, data: other }, job),
      jobDigest({ ...header, model: { ...header.model, text: "mlp:9" } as never }, job),
      jobDigest({ ...header, recipe: { ...header.recipe, epochs: 3 } }, job),
      jobDigest(header, { ...job, subset: all.subarray(1) }),
      jobDigest(header, { ...job, seed: 2 }),
    ];
    expect(new Set([digest, ...changed]).size).toBe(6);
    expect(jobDigest({ ...header, data: shareSamples(samples) }, { ...job, subset: all.slice() })).toBe(
      digest,
    );
  });
});

describe("shared samples", () => {
  it("are the samples they were made of", () => {
    const shared = openShared(header.data);
    const [a, b] = [new Float32Array(8), new Float32Array(8)];
    samples.gather([7, 3], a);
    shared.gather([7, 3], b);
    expect(b).toEqual(a);
    expect([...shared.labels]).toEqual([...samples.labels]);
  });
});
