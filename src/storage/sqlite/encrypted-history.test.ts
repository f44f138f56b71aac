import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import {
  accept,
  clients,
  collect,
  create,
  initialWeights,
  layout,
  placeForEachTest,
} from "../../../test/fixtures/history.ts";
import type { CodecConfigInput } from "../../history/config.ts";
import { SEAL_BYTES } from "../../history/sealed-bytes.ts";
import type { History } from "../../history/store.ts";
import { keyFromSeed } from "../../kernel/key.ts";
import { createKeyring, type Keyring } from "../encryption/keyring.ts";
import { createHistory, openHistory } from "./history-store.ts";
import { inspectHistory } from "./inspect-history.ts";
import { repairHistory } from "./repair-history.ts";
import { exportHistory, importHistory } from "./transfer-history.ts";

const place = placeForEachTest();

const codecs: readonly CodecConfigInput[] = [
  {},
  { threshold: { mode: "temporal", tau: 1.5 } },
  { threshold: { mode: "mean", tau: 0.5 } },
  { feedback: {}, rate: { bitsPerParameter: 1 } },
  { rotation: { period: 3 } },
  { retention: { mode: "window", rounds: 2 } },
  { retention: { mode: "accumulator", alpha: -0.15 } },
  { retention: { mode: "hybrid", rounds: 2, alpha: -0.15 } },
];

describe("an encrypted history", () => {
  it.each(codecs)(
    "holds what a plain one holds, and gives it to the owner of its keys alone: %o",
    async (codec) => {
      const plain = await create(join(place.directory, "plain.history"), codec);
      const { history } = await encrypted(codec);
      for (let round = 0; round < 4; round++) {
        await accept(plain, round);
        await accept(history, round);
      }
      expect(await collect(history.readRounds())).toEqual(await collect(plain.readRounds()));
      for (const name of ["moments", "lethe:removal-error", "lethe:residual"]) {
        expect(await history.auxiliary("bert", name)).toEqual(await plain.auxiliary("bert", name));
      }
      const counts = await plain.verify();
      const { head } = await history.verify();
      expect(await history.verify()).toEqual({ ...counts, head });
      const storage = [await history.storage(), await plain.storage()] as const;
      expect(storage[0].sealedBytes).toBe(SEAL_BYTES * counts.records);
      expect(storage[0].symbolBytes).toBe(storage[1].symbolBytes);
      await history.close();
      await plain.close();

      const stranger = await openHistory(place.path, { readOnly: true });
      expect(await stranger.verify()).toEqual({ ...counts, records: 0, sealed: counts.records, head });
      expect((await stranger.clients()).map(({ client }) => client)).toEqual(clients);
      await expect(stranger.auxiliary("bert", "moments")).rejects.toMatchObject({
        code: "LETHE_USAGE_KEYRING",
      });
      if (counts.records > 0)
        await expect(collect(stranger.readRounds())).rejects.toMatchObject({ code: "LETHE_USAGE_KEYRING" });
      await stranger.close();
    },
  );

  it("leaves no plain record on disk", async () => {
    const plain = await create(join(place.directory, "plain.history"));
    const { history } = await encrypted();
    await accept(plain, 0);
    await accept(history, 0);
    const pieces = await Promise.all(
      clients.map(async (client) =>
        Buffer.from((await plain.record(0, client)) as Uint8Array).subarray(300, 340),
      ),
    );
    await plain.close();
    const files = readdirSync(place.directory).filter((name) => !name.startsWith("plain"));
    const bytes = files.map((name) => readFileSync(join(place.directory, name)));
    expect(bytes.some((content) => pieces.some((piece) => content.includes(piece)))).toBe(false);
    await history.close();
  });

  it("is not opened by another history's keys, nor is a record in another place", async () => {
    const { history, keyring } = await encrypted();
    for (let round = 0; round < 3; round++) await accept(history, round);
    await history.close();
    const other = createKeyring(join(place.directory, "other.keys"), undefined);
    other.ensure(clients);
    for (const keys of [other, createKeyring(join(place.directory, "empty.keys"), undefined)]) {
      const reader = await openHistory(place.path, { readOnly: true, keys });
      await expect(reader.verify()).rejects.toMatchObject({ kind: "integrity" });
      await expect(reader.decode(1, "anna")).rejects.toMatchObject({
        kind: "integrity",
        message: expect.stringMatching(/"anna".*keyring|keyring.*"anna"/),
      });
      await reader.close();
    }
    const tamper = new DatabaseSync(place.path);
    tamper.exec("UPDATE entries SET record = (SELECT record FROM entries WHERE id = 1) WHERE id = 1048577");
    tamper.close();
    const reader = await openHistory(place.path, { readOnly: true, keys: keyring });
    await expect(reader.decode(1, "anna")).rejects.toMatchObject({ code: "LETHE_INTEGRITY_SEAL" });
    await reader.close();
    const stranger = await openHistory(place.path, { readOnly: true });
    await expect(stranger.verify()).rejects.toMatchObject({ code: "LETHE_INTEGRITY_CHAIN" });
    await stranger.close();
  });

  it("erases a client from a backup too: its key is gone, and a writer finishes the work", async () => {
    const { history, keyring } = await encrypted();
    for (let round = 0; round < 3; round++) await accept(history, round);
    const before = await history.verify();
    await history.compact();
    const backup = join(place.directory, "backup.history");
    copyFileSync(place.path, backup);
    await history.eraseClient("bert");
    expect(keyring.list()).toEqual({ clients: ["anna", "cleo"], destroyed: ["bert"] });
    expect(await history.verify()).toEqual({ ...before, records: 6, erased: 3 });
    const kept = await collect(history.readRounds());
    await expect(accept(history, 3)).rejects.toThrow(/not erased/);
    await accept(history, 3, ["anna", "cleo"]);
    await history.close();

    const reader = await openHistory(backup, { readOnly: true, keys: keyring });
    expect(await reader.verify()).toEqual({ ...before, records: 6, sealed: 3 });
    expect(await collect(reader.readRounds())).toEqual(kept);
    expect(await reader.auxiliary("bert", "moments")).toBeUndefined();
    expect((await reader.clients()).find(({ client }) => client === "bert")?.erased).toBe(true);
    await reader.close();
    await (await openHistory(backup, { keys: keyring })).close();
    const finished = await openHistory(backup, { readOnly: true });
    expect(await finished.verify()).toEqual({ ...before, records: 0, sealed: 6, erased: 3 });
    await finished.close();
  });

  it("is exported, imported and inspected without keys, and repaired with them", async () => {
    const { history, keyring } = await encrypted();
    for (let round = 0; round < 3; round++) await accept(history, round);
    const { head } = await history.verify();
    await history.close();
    const [file, copy] = [join(place.directory, "a.lethe"), join(place.directory, "copy.history")];
    expect(exportHistory(place.path, file)).toMatchObject({ sealed: 9, head });
    expect(await importHistory(file, copy)).toMatchObject({ sealed: 9, head });
    expect(inspectHistory(copy).codecs).toMatchObject({ encrypted: { records: 9 } });
    expect(inspectHistory(copy, keyring).codecs).toMatchObject({ z: { records: 9 } });
    const owner = await openHistory(copy, { readOnly: true, keys: keyring });
    expect(await owner.verify()).toMatchObject({ records: 9, sealed: 0 });
    await owner.close();

    const damage = new DatabaseSync(copy);
    damage.exec("UPDATE entries SET record = zeroblob(length(record)) WHERE id = 1048578");
    damage.close();
    const repaired = join(place.directory, "repaired.history");
    await expect(repairHistory(copy, repaired)).rejects.toMatchObject({ code: "LETHE_USAGE_KEYRING" });
    expect(await repairHistory(copy, repaired, keyring)).toMatchObject({
      lost: [{ round: 1, client: "bert" }],
      verified: { records: 8, dropped: 1 },
    });
  });

  it("cannot be written without keys", async () => {
    const { history } = await encrypted();
    await history.close();
    const writer = await openHistory(place.path);
    await expect(accept(writer, 0)).rejects.toMatchObject({ code: "LETHE_USAGE_KEYRING" });
    expect(await writer.rounds()).toEqual([]);
    await writer.close();
  });
});

async function encrypted(
  codec: CodecConfigInput = {},
): Promise<{ readonly history: History; readonly keyring: Keyring }> {
  const keyring = createKeyring(join(place.directory, "run.keys"), undefined);
  const header = {
    layout,
    codec: { ...codec, encryption: "aes-256-gcm" as const },
    key: keyFromSeed(1),
    facts: { learningRate: 0.1 },
    initialWeights,
  };
  return { history: await createHistory(place.path, header, { keys: keyring }), keyring };
}
