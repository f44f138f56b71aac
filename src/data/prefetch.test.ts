import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../kernel/key.ts";
import { loadDataset } from "./index.ts";
import { fitNormaliser, normalised } from "./normaliser.ts";
import { createPrefetcher } from "./prefetch.ts";

let directory: string;
let data: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "lethe-prefetch-"));
  const rows = Array.from({ length: 60 }, (_, row) => `${row},${row % 7},${row % 3}`);
  await writeFile(join(directory, "t.csv"), `a,b,y\n${rows.join("\n")}\n`);
  data = `csv:${join(directory, "t.csv")}?label=y`;
});

afterAll(() => rm(directory, { recursive: true }));

describe("createPrefetcher", () => {
  it("gives the batches that are gathered here, in any order asked", async () => {
    const whole = (await loadDataset(data)).train;
    const subset = Uint32Array.from({ length: 40 }, (_, at) => whole.count - 1 - at);
    const train = whole.subset(subset);
    const normaliser = fitNormaliser(train);
    const scaled = normalised(train, normaliser);
    await using prefetcher = createPrefetcher({ data, part: "train", subset, normaliser }, 7);
    for (const epoch of [0, 1]) {
      const order = randomStream(keyFromSeed(epoch)).permutation(train.count);
      for (let batch = epoch; batch * 7 < train.count; batch++) {
        const { features, labels } = await prefetcher.batches(order, batch);
        const positions = order.slice(batch * 7, (batch + 1) * 7);
        const expected = new Float32Array(positions.length * train.featureLength);
        scaled.gather(positions, expected);
        expect(features).toEqual(expected);
        expect([...labels]).toEqual(
          Array.from(positions, (position) => BigInt(train.labels[position] as number)),
        );
      }
    }
  });

  it("tells what is wrong with the data, and with a position", async () => {
    await using missing = createPrefetcher({ data: "csv:/nowhere.csv?label=y", part: "train" }, 2);
    const order = Uint32Array.of(0, 1, 2, 3, 4, 5);
    await expect(missing.batches(order, 0)).rejects.toMatchObject({
      kind: "data",
      code: "LETHE_DATA_MISSING",
    });
    await expect(missing.batches(order, 1)).rejects.toMatchObject({ code: "LETHE_DATA_MISSING" });
    await using small = createPrefetcher({ data, part: "test" }, 2);
    await expect(small.batches(Uint32Array.of(0, 99), 0)).rejects.toMatchObject({
      code: "LETHE_USAGE_GATHER",
    });
    expect((await small.batches(Uint32Array.of(3), 0)).labels).toHaveLength(1);
  });

  it("leaves nobody waiting when it is disposed of", async () => {
    const prefetcher = createPrefetcher({ data, part: "train" }, 4);
    const batch = prefetcher.batches(Uint32Array.of(0, 1), 0);
    const settled = Promise.allSettled([batch]);
    await prefetcher[Symbol.asyncDispose]();
    expect((await settled)[0].status).toBe("rejected");
    await expect(prefetcher.batches(Uint32Array.of(0), 0)).rejects.toMatchObject({
      code: "LETHE_INTERNAL_WORKER",
    });
  });
});
