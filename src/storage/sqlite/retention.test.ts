import { describe, expect, it } from "vitest";
import {
  accept,
  clients,
  collect,
  create,
  placeForEachTest,
  updateOf,
} from "../../../test/fixtures/history.ts";
import { REMOVAL_ERROR } from "../../history/removal-error.ts";
import { openHistory } from "./history-store.ts";

const place = placeForEachTest();

describe("a history with a window", () => {
  it("keeps the records of the last rounds, the weights and the chain of all, and stops growing", async () => {
    const history = await create(place.path, { retention: { mode: "window", rounds: 2 } });
    const bytes: number[] = [];
    for (let round = 0; round < 7; round++) {
      await accept(history, round);
      bytes.push((await history.storage()).recordBytes);
    }
    expect(bytes[6]).toBeLessThan(1.05 * (bytes[1] as number));
    const rounds = await collect(history.readRounds());
    expect(rounds.map(({ participants }) => participants.map(({ status }) => status[0]).join(""))).toEqual([
      ...Array(5).fill("ddd"),
      "sss",
      "sss",
    ]);
    expect(rounds[0]?.participants.map(({ weight }) => weight)).toEqual([1, 2, 3]);
    expect(await history.verify()).toMatchObject({ rounds: 7, records: 6, dropped: 15, trusted: [] });
    await history.eraseClient("bert");
    expect(await history.verify()).toMatchObject({ records: 4, dropped: 10, erased: 7 });
    await history.close();
  });

  it("keeps the digest of every round as it was given when the round was accepted", async () => {
    const history = await create(place.path, { retention: { mode: "window", rounds: 1 } });
    const seen: string[] = [];
    for (let round = 0; round < 3; round++) seen.push((await accept(history, round)).digest);
    expect((await history.rounds()).map(({ digest }) => digest)).toEqual(seen);
    await history.close();
  });
});

describe("a history of sums", () => {
  it("holds no record, one sum for each client, and goes on after it is opened again", async () => {
    let history = await create(place.path, { retention: { mode: "accumulator", alpha: -0.1 } });
    for (let round = 0; round < 3; round++) await accept(history, round);
    await history.close();
    history = await openHistory(place.path);
    const before = await history.storage();
    for (let round = 3; round < 6; round++) await accept(history, round, ["anna", "cleo"]);
    const { recordBytes, sumBytes, entries } = await history.storage();
    expect(recordBytes).toBe(0);
    expect(sumBytes).toBe(before.sumBytes);
    expect(entries).toMatchObject({ stored: 0, unsampled: 15 });
    expect(await history.verify()).toMatchObject({ rounds: 6, records: 0 });
    expect((await history.auxiliary("bert", REMOVAL_ERROR))?.count).toBe(3);
    await history.eraseClient("anna");
    expect(await history.auxiliary("anna", REMOVAL_ERROR)).toBeUndefined();
    await history.close();
  });

  it("is fed the updates as they came, however coarse the records beside it", async () => {
    const history = await create(place.path, {
      rate: { bitsPerParameter: 0.3 },
      retention: { mode: "hybrid", rounds: 1, alpha: 0 },
    });
    await accept(history, 0);
    const sum = (await history.auxiliary("anna", REMOVAL_ERROR))?.mean ?? new Float32Array();
    const [anna, bert, cleo] = clients.map((client) => updateOf(0, client));
    for (const i of [0, 17, 3005]) {
      const others = (2 * (bert?.[i] ?? 0) + 3 * (cleo?.[i] ?? 0)) / 5;
      const mean = ((anna?.[i] ?? 0) + 5 * others) / 6;
      expect(sum[i]).toBeCloseTo(mean - others, 2);
    }
    await history.close();
  });

  it("goes with no thresholding", async () => {
    const codec = {
      threshold: { mode: "temporal", tau: 1 },
      retention: { mode: "window", rounds: 3 },
    } as const;
    await expect(create(place.path, codec)).rejects.toThrow(/no thresholding/);
  });
});
