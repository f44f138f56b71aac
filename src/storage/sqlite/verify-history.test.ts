import { readFileSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { accept, collect, create, placeForEachTest } from "../../../test/fixtures/history.ts";
import type { DecodedRound } from "../../history/store.ts";
import { keyFromSeed, randomStream } from "../../kernel/key.ts";
import { openHistory } from "./history-store.ts";

const place = placeForEachTest();

describe("verify", () => {
  const changes: readonly (readonly [string, string])[] = [
    ["a round's metadata", "UPDATE rounds SET metadata = '{\"loss\":0}' WHERE round = 1"],
    ["a weight", "UPDATE entries SET weight = 9 WHERE id = 1048578"],
    [
      "a record's place",
      "UPDATE entries SET record = (SELECT record FROM entries WHERE id = 2) WHERE id = 1048578",
    ],
    ["a missing record", "UPDATE entries SET record = NULL WHERE id = 1048578"],
    ["a missing entry", "DELETE FROM entries WHERE id = 1048578"],
    ["a missing round", "DELETE FROM rounds WHERE round = 1"],
    ["the final weights", "UPDATE state SET weights = zeroblob(length(weights))"],
    ["the checkpoint", "UPDATE state SET checkpoint = x'00'"],
    ["the initial weights", "UPDATE header SET initial_weights = zeroblob(length(initial_weights))"],
    ["the key", "UPDATE header SET key = zeroblob(32)"],
    ["an auxiliary vector", "UPDATE auxiliary SET mean = zeroblob(length(mean)) WHERE client = 2"],
    ["an unknown client", "PRAGMA foreign_keys = OFF; DELETE FROM clients WHERE ordinal = 2"],
  ];

  it.each(changes)("notices a change of %s", async (_what, sql) => {
    const history = await create(place.path);
    for (let round = 0; round < 3; round++) await accept(history, round);
    await history.close();
    const tamper = new DatabaseSync(place.path);
    tamper.exec(sql);
    tamper.close();
    const reader = await openHistory(place.path, { readOnly: true });
    await expect(reader.verify()).rejects.toMatchObject({ kind: "integrity" });
    await reader.close();
  });

  it.each(["layout", "codec", "facts", "key", "initial_weights"])(
    "is not even reached where the header's %s cannot be read",
    async (column) => {
      await (await create(place.path)).close();
      const tamper = new DatabaseSync(place.path);
      tamper.exec(`UPDATE header SET ${column} = substr(${column}, 1, length(${column}) - 1)`);
      tamper.close();
      await expect(openHistory(place.path)).rejects.toMatchObject({ code: "LETHE_INTEGRITY_HEADER" });
    },
  );

  it("notices flipped bits in the file, and never reads a wrong number", async () => {
    const history = await create(place.path);
    for (let round = 0; round < 3; round++) await accept(history, round);
    const truth = await collect(history.readRounds());
    await history.close();
    const intact = readFileSync(place.path);
    const stream = randomStream(keyFromSeed(77));
    for (let trial = 0; trial < 60; trial++) {
      const changed = Buffer.from(intact);
      // Beyond the first page, which holds the schema only.
      const at = 1024 + stream.below(changed.length - 1024);
      changed[at] = (changed[at] as number) ^ (1 << stream.below(8));
      writeFileSync(place.path, changed);
      await expectTruthOrError(truth);
    }
  });
});

async function expectTruthOrError(truth: readonly DecodedRound[]): Promise<void> {
  try {
    const reader = await openHistory(place.path, { readOnly: true });
    try {
      const report = await reader.verify();
      const rounds = await collect(reader.readRounds());
      expect(report.rounds).toBe(truth.length);
      expect(rounds).toEqual(truth);
    } finally {
      await reader.close();
    }
  } catch (error) {
    expect(error).toMatchObject({ name: "LetheError" });
  }
}
