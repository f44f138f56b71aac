import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { trainModels } from "../../src/audit/farm/model-farm.ts";
import { shareSamples } from "../../src/audit/farm/shared-samples.ts";
import type { FarmHeader, TrainingJob } from "../../src/audit/farm/training-job.ts";
import { farmEngine } from "../../src/cli/farm-option.ts";
import { modelSizesOf } from "../../src/cli/model-argument.ts";
import { loadParts, type PartsSource } from "../../src/data/load-parts.ts";
import { digestArrays } from "../../src/kernel/digest.ts";
import { consume, type LetheEvent } from "../../src/kernel/events.ts";
import { recipeSchema } from "../../src/training/recipe.ts";
import { type Finished, lethe } from "../e2e/lethe.ts";
import { writeCsv } from "../e2e/tiny-data.ts";
import { type Postgres, postgresPrograms, startPostgres } from "../support/postgres.ts";

const programs = postgresPrograms();

describe.skipIf(programs === undefined)(
  "a farm on several machines (skipped where PostgreSQL is not installed)",
  () => {
    let directory: string;
    let postgres: Postgres;
    let source: PartsSource;
    let header: FarmHeader;
    const at = (...parts: readonly string[]): string => join(directory, ...parts);

    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), "lethe-queue-"));
      postgres = await startPostgres(programs as string);
      writeCsv(at("data.csv"));
      source = { data: `csv:${at("data.csv")}?label=kind`, validation: 0.2 };
      header = await headerOf(source);
    });
    afterAll(async () => {
      await postgres.stop();
      rmSync(directory, { recursive: true });
    });

    async function headerOf(from: PartsSource, epochs = 2): Promise<FarmHeader> {
      const { dataset, parts } = await loadParts(from);
      return {
        data: shareSamples(parts.train),
        model: { kind: "ready", text: "mlp:8", sizes: modelSizesOf(dataset) },
        recipe: recipeSchema.parse({ epochs, batchSize: 8 }),
      };
    }
    const jobsOf = (count: number, { data }: FarmHeader = header): readonly TrainingJob[] =>
      Array.from({ length: count }, (_, seed) => ({
        subset: Uint32Array.from({ length: data.count - 10 }, (__, position) => position),
        seed,
      }));
    const ask = (
      jobs: readonly TrainingJob[],
      store: string,
      from: FarmHeader = header,
      signal?: AbortSignal,
    ) => {
      const events: LetheEvent[] = [];
      const queue = { url: postgres.url, source, engine: farmEngine() };
      const models = consume(trainModels(from, jobs, { store: at(store), queue, signal }), (event) =>
        events.push(event),
      );
      return { events, models };
    };
    const work = (
      store: string,
      args: readonly string[],
      onStart?: (child: ChildProcess) => void,
    ): Promise<Finished> =>
      lethe(
        ["work", "--farm", postgres.url, "--workers", "1", "--store", at(store), "--json", ...args],
        onStart === undefined ? {} : { onStart },
      );
    const select = async <Row>(text: string): Promise<readonly Row[]> => {
      const client = new Client({ connectionString: postgres.url });
      await client.connect();
      try {
        return (await client.query(text)).rows;
      } catch (error) {
        // The tables come with the first who opens the farm.
        if ((error as { code?: string }).code === "42P01") return [];
        throw error;
      } finally {
        await client.end();
      }
    };
    const until = async (isSo: () => Promise<boolean>): Promise<void> => {
      while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50));
    };

    /** Starts a worker and kills it as soon as it is at a model. */
    const killWorkerAtModel = (): Promise<Finished> =>
      work("killed", [], (child) => {
        void until(async () => (await select("SELECT 1 FROM lethe_farm.claim")).length > 0).then(() =>
          child.kill("SIGKILL"),
        );
      });

    it("trains what one machine would though a worker is killed at its model, and trains nothing twice", async () => {
      // Long enough for a kill in the middle of a model, short enough for a test.
      const long = await headerOf(source, 400);
      const jobs = jobsOf(4, long);
      const { models, events } = ask(jobs, "asked", long);
      expect((await killWorkerAtModel()).signal).toBe("SIGKILL");
      const others = [work("second", ["--once"]), work("third", ["--once"])];
      const digests = (await models).map((weights) => digestArrays(weights));
      const trained = (await Promise.all(others)).map((finished) => finished.json().trained as number);
      // The killed worker finished some, perhaps; those were not trained again.
      const [before] = await select<{ count: number }>("SELECT count(*)::int AS count FROM lethe_farm.model");
      expect(before).toEqual({ count: jobs.length });
      expect(trained.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(jobs.length);
      const here = await consume(trainModels(long, jobs, { store: at("here"), workers: 1 }));
      expect(digests).toEqual(here.map((weights) => digestArrays(weights)));
      for (const table of ["claim", "wish"])
        expect(await select(`SELECT * FROM lethe_farm.${table}`)).toEqual([]);
      expect(events).toContainEqual(
        expect.objectContaining({ type: "step", scalars: { models: "4 of 4", workers: expect.any(Number) } }),
      );

      // Asked again with an empty store, and no worker there, they come from the database.
      const again = await ask(jobs, "again", long).models;
      expect(again.map((weights) => digestArrays(weights))).toEqual(digests);
    });

    it("is told by a worker's refusal that its data are others, and by nobody there that nobody is there", async () => {
      const controller = new AbortController();
      const other = await headerOf({ ...source, validation: 0.4 });
      // The description says one division of the data, the digest another.
      const { models, events } = ask(jobsOf(1, other), "other", other, controller.signal);
      const cancelled = expect(models).rejects.toMatchObject({ code: "LETHE_CANCELLED" });
      await until(async () => (await select("SELECT 1 FROM lethe_farm.wish")).length > 0);
      const finished = await work("other", ["--once"]);
      expect([finished.code, finished.json().trained]).toEqual([0, 0]);
      expect(finished.stderr).toMatch(/other numbers/);
      controller.abort();
      await cancelled;
      expect(events).toContainEqual(expect.objectContaining({ type: "notice", code: "FARM_EMPTY" }));
      expect(await select("SELECT * FROM lethe_farm.wish")).toEqual([]);
      // What nobody waits for any more is not trained.
      expect((await work("late", ["--once"])).json()).toEqual({ trained: 0, dropped: 0 });
    });

    it("hands on what went wrong in training", async () => {
      const wild = { ...header, recipe: { ...header.recipe, learningRate: 1e30 } };
      const { models } = ask(jobsOf(2, wild), "wild", wild);
      const failed = expect(models).rejects.toMatchObject({ code: "LETHE_NUMERIC_LOSS" });
      await until(async () => (await select("SELECT 1 FROM lethe_farm.wish")).length > 0);
      expect((await work("wild", ["--once"])).code).toBe(0);
      await failed;
    });
  },
);
