import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import {
  accept,
  collect,
  create,
  initialWeights,
  layout,
  placeForEachTest,
  updateOf,
  vector,
} from "../../../test/fixtures/history.ts";
import type { CodecConfigInput } from "../../history/config.ts";
import { keyFromSeed } from "../../kernel/key.ts";
import { openHistory } from "./history-store.ts";

const place = placeForEachTest();

describe("a history", () => {
  it("gives everything back after it was closed: header, weights, rounds, checkpoint, auxiliary means", async () => {
    const history = await create(place.path, { rate: { bitsPerParameter: 8 } });
    for (const round of [0, 1, 5]) await accept(history, round);
    await history.close();

    const reader = await openHistory(place.path, { readOnly: true });
    expect(reader.header).toEqual({
      layout,
      key: keyFromSeed(1),
      facts: { learningRate: 0.1 },
      initialWeights,
      codec: {
        quantiser: "z",
        rate: { bitsPerParameter: 8 },
        storedClientFraction: 1,
        threshold: { mode: "none" },
      },
    });
    const rounds = await collect(reader.readRounds());
    expect(rounds.map(({ round }) => round)).toEqual([0, 1, 5]);
    for (const { round, participants, metadata } of rounds) {
      expect(metadata).toEqual({ loss: 1 / (round + 1) });
      expect(participants.map(({ client, weight, status }) => [client, weight, status])).toEqual([
        ["anna", 1, "stored"],
        ["bert", 2, "stored"],
        ["cleo", 3, "stored"],
      ]);
      for (const { client, update } of participants) {
        const truth = updateOf(round, client);
        const error = truth.reduce((sum, value, at) => sum + (value - (update?.[at] as number)) ** 2, 0);
        expect(Math.sqrt(error / layout.length)).toBeLessThan(0.01);
        expect(await reader.decode(round, client)).toEqual(update);
      }
    }
    expect(await reader.resume()).toEqual({
      round: 5,
      weights: vector(505),
      checkpoint: Uint8Array.of(5, 7),
    });
    const moments = await reader.auxiliary("bert", "moments");
    expect(moments?.count).toBe(3);
    const exact = [0, 1, 5].reduce((sum, round) => sum + (updateOf(round, "bert")[9] as number) ** 2 / 3, 0);
    expect(Math.abs((moments?.mean[9] as number) / exact - 1)).toBeLessThan(0.01);
    expect(await reader.verify()).toMatchObject({ rounds: 3, records: 9, erased: 0 });
    await reader.close();
  });

  it("reads only the rounds and clients that are asked for", async () => {
    const history = await create(place.path);
    for (let round = 0; round < 5; round++) await accept(history, round);
    const some = await collect(history.readRounds({ from: 1, to: 3, clients: ["cleo"] }));
    expect(some.map(({ round, participants }) => [round, participants.map(({ client }) => client)])).toEqual([
      [1, ["cleo"]],
      [2, ["cleo"]],
      [3, ["cleo"]],
    ]);
    expect(await history.decode(9, "anna")).toBeUndefined();
    expect(await history.decode(1, "nobody")).toBeUndefined();
    await history.close();
  });

  it.each<CodecConfigInput>([
    { threshold: { mode: "temporal", tau: 1.2 }, rate: { bitsPerParameter: 3 } },
    { quantiser: "tcq4", rotation: { period: 3 }, feedback: { residual: "int4" } },
  ])("continues after it is opened again exactly as if it had stayed open: %o", async (codec) => {
    const digests: string[][] = [];
    for (const reopen of [false, true]) {
      let history = await create(place.path, codec);
      const seen: string[] = [];
      for (let round = 0; round < 4; round++) {
        seen.push((await accept(history, round)).digest);
        if (!reopen) continue;
        await history.close();
        history = await openHistory(place.path);
      }
      await history.verify();
      await history.close();
      digests.push(seen);
      rmSync(place.path);
    }
    expect(digests[0]).toEqual(digests[1]);
  });

  it("refuses a round out of order, wrong weights, and an update that is not finite, and stores nothing of them", async () => {
    const history = await create(place.path);
    await accept(history, 3);
    await expect(accept(history, 3)).rejects.toThrow(/above 3/);
    const weights = vector(1);
    const participants = [{ client: "anna", weight: 1, update: vector(1).fill(Number.NaN) }];
    await expect(history.acceptRound({ round: 4, participants, weights })).rejects.toThrow(/finite numbers/);
    const short = { round: 4, participants: [], weights: new Float32Array(2) };
    await expect(history.acceptRound(short)).rejects.toThrow(/finite global weights/);
    expect((await history.rounds()).map(({ round }) => round)).toEqual([3]);
    expect((await history.resume())?.round).toBe(3);
    await history.verify();
    await history.close();
  });

  it("refuses a second writer and lets readers in", async () => {
    const history = await create(place.path);
    await accept(history, 0);
    await expect(openHistory(place.path)).rejects.toThrow(/only writer/);
    const reader = await openHistory(place.path, { readOnly: true });
    await accept(history, 1);
    expect(await reader.rounds()).toHaveLength(2);
    await reader.close();
    await history.close();
    const next = await openHistory(place.path);
    await next.close();
  });

  it("refuses files that are no history, and an existing one on creation", async () => {
    await expect(openHistory(place.path)).rejects.toThrow(/readable file/);
    writeFileSync(
      place.path,
      "no database, and longer than the header of one would be: it has to be told apart from it.",
    );
    await expect(openHistory(place.path)).rejects.toThrow(/SQLite database/);
    rmSync(place.path);
    new DatabaseSync(place.path).close();
    await expect(openHistory(place.path)).rejects.toThrow(/update history/);
    await (await create(place.path)).close();
    await expect(create(place.path)).rejects.toThrow(/got one/);
  });

  it("is created over what an interrupted creation left, and says so until then", async () => {
    const other = `${place.path}-other`;
    const interrupted = new DatabaseSync(other);
    // So small a cache that the transaction reaches the file before its end.
    interrupted.exec("PRAGMA cache_size = 1; BEGIN; CREATE TABLE t (x)");
    interrupted.exec(
      "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 99) SELECT zeroblob(999) FROM n",
    );
    copyFileSync(other, place.path);
    copyFileSync(`${other}-journal`, `${place.path}-journal`);
    interrupted.close();
    await expect(openHistory(place.path, { readOnly: true })).rejects.toMatchObject({
      code: "LETHE_DATA_NEEDS_WRITER",
    });
    await expect(openHistory(place.path)).rejects.toMatchObject({ code: "LETHE_DATA_NOT_A_HISTORY" });
    const history = await create(place.path);
    await accept(history, 0);
    await history.verify();
    await history.close();
  });

  it("is not created in a database of something else", async () => {
    const foreign = new DatabaseSync(place.path);
    foreign.exec("CREATE TABLE letters (body TEXT)");
    foreign.close();
    const before = readFileSync(place.path);
    await expect(create(place.path)).rejects.toMatchObject({ code: "LETHE_DATA_NOT_A_HISTORY" });
    expect(readFileSync(place.path)).toEqual(before);
  });

  it("loses nothing when the disk is full, and goes on when there is space", async () => {
    const history = await create(place.path, { rate: { bitsPerParameter: 8 } }, 150_000);
    let accepted = 0;
    let failure: unknown;
    while (!failure) {
      failure = await accept(history, accepted).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (!failure) accepted++;
    }
    expect(failure).toMatchObject({ code: "LETHE_TRANSIENT_DISK_FULL", kind: "transient" });
    expect(accepted).toBeGreaterThan(2);
    expect(await history.verify()).toMatchObject({ rounds: accepted, records: 3 * accepted });
    await history.close();
    const next = await openHistory(place.path);
    await accept(next, accepted);
    expect(await next.verify()).toMatchObject({ rounds: accepted + 1 });
    await next.close();
  });
});
