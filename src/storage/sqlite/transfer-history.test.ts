import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { accept, collect, create, placeForEachTest } from "../../../test/fixtures/history.ts";
import type { CodecConfigInput } from "../../history/config.ts";
import { openHistory } from "./history-store.ts";
import { inspectHistory } from "./inspect-history.ts";
import { exportHistory, importHistory } from "./transfer-history.ts";

const place = placeForEachTest();

const codecs: readonly CodecConfigInput[] = [
  {},
  { quantiser: "none", threshold: { mode: "temporal", tau: 1.5 } },
  { threshold: { mode: "element", tau: 1 }, storedClientFraction: 0.5 },
];

it.each(codecs)(
  "an exported history comes back with the same digests, updates and next round: %o",
  async (codec) => {
    const [file, copyPath] = [join(place.directory, "history.lethe"), join(place.directory, "copy.history")];
    const history = await create(place.path, codec);
    for (let round = 0; round < 4; round++) await accept(history, round);
    await history.eraseClient("bert");
    const exported = exportHistory(place.path, file);
    const imported = await importHistory(file, copyPath);
    expect(imported).toEqual(exported);
    expect(imported).toMatchObject({ rounds: 4, erased: 4 });

    const copy = await openHistory(copyPath);
    expect(await collect(copy.readRounds())).toEqual(await collect(history.readRounds()));
    expect(await copy.resume()).toEqual(await history.resume());
    expect(await copy.auxiliary("anna", "moments")).toEqual(await history.auxiliary("anna", "moments"));
    const next = [await accept(history, 4, ["anna", "cleo"]), await accept(copy, 4, ["anna", "cleo"])];
    expect(next[1]).toEqual(next[0]);
    await copy.close();
    await history.close();
    exportHistory(place.path, join(place.directory, "a"));
    exportHistory(copyPath, join(place.directory, "b"));
    expect(readFileSync(join(place.directory, "a"))).toEqual(readFileSync(join(place.directory, "b")));
  },
);

it("an exported file that was cut, extended or changed is refused and leaves nothing behind", async () => {
  const [file, copyPath] = [join(place.directory, "history.lethe"), join(place.directory, "copy.history")];
  const history = await create(place.path);
  for (let round = 0; round < 2; round++) await accept(history, round);
  await history.close();
  exportHistory(place.path, file);
  const intact = readFileSync(file);
  const spoilt = [
    ...[0, 1, 500, intact.length - 1].map((length) => intact.subarray(0, length)),
    Buffer.concat([intact, Buffer.from("\n")]),
    Buffer.concat([intact, intact]),
    ...[100, 700, 13_000, 15_000].map((at) => {
      const changed = Buffer.from(intact);
      changed[at] = (changed[at] as number) ^ 16;
      return changed;
    }),
  ];
  for (const bytes of spoilt) {
    writeFileSync(file, bytes);
    await expect(importHistory(file, copyPath)).rejects.toMatchObject({ name: "LetheError" });
    expect(existsSync(copyPath)).toBe(false);
  }
  writeFileSync(file, intact);
  expect(await importHistory(file, copyPath)).toMatchObject({ rounds: 2, records: 6 });
});

it("an inspection counts each record once by round, client and codec", async () => {
  const history = await create(place.path, { quantiser: "int8" });
  await accept(history, 0);
  await accept(history, 3, ["anna"]);
  const { head } = await history.verify();
  await history.close();
  const summary = inspectHistory(place.path);
  expect(summary.head).toBe(head);
  expect(summary.rounds.map(({ round, records }) => [round, records])).toEqual([
    [0, 3],
    [3, 1],
  ]);
  expect(summary.clients.map(({ client, records }) => [client, records])).toEqual([
    ["anna", 2],
    ["bert", 1],
    ["cleo", 1],
  ]);
  const bytes = summary.clients.reduce((sum, client) => sum + client.bytes, 0);
  expect(summary.codecs).toEqual({ int8: { records: 4, bytes } });
  expect(bytes).toBe(summary.storage.recordBytes);
  expect(bytes).toBeGreaterThan(0);
});
