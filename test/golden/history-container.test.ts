import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { digestBytes } from "../../src/kernel/digest.ts";
import { openHistory } from "../../src/storage/sqlite/history-store.ts";
import { importHistory } from "../../src/storage/sqlite/transfer-history.ts";
import { collect, placeForEachTest } from "../fixtures/history.ts";

const place = placeForEachTest();
const golden = JSON.parse(readFileSync(new URL("./history-container.json", import.meta.url), "utf8")) as {
  readonly head: string;
  readonly updates: readonly string[];
};

it("a history exported long ago is read to the same bits", async () => {
  const report = await importHistory(join(import.meta.dirname, "history-container.lethe"), place.path);
  expect(report).toMatchObject({ rounds: 4, records: 4, erased: 3, head: golden.head });
  const history = await openHistory(place.path, { readOnly: true });
  const updates = (await collect(history.readRounds())).flatMap(({ round, participants }) =>
    participants.flatMap(({ client, update }) =>
      update ? [`${round} ${client} ${digestBytes(new Uint8Array(update.buffer))}`] : [],
    ),
  );
  await history.close();
  expect(updates).toEqual(golden.updates);
});
